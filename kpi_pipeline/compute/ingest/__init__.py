"""From a source's rows to validated certificates, log facts and costs; the refused rows with reasons."""
