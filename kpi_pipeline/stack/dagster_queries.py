"""The queries that are sent to the GraphQL API of Dagster's web server."""

from typing import Final

LAUNCH: Final = """
mutation Launch($job: String!, $tags: [ExecutionTag!]!) {
  launchRun(executionParams: {
    selector: {repositoryLocationName: "kpi_pipeline", repositoryName: "__repository__", jobName: $job}
    executionMetadata: {tags: $tags}
  }) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PipelineNotFoundError { message }
  }
}
"""
FOLLOW: Final = """
query Follow($run: ID!) {
  runOrError(runId: $run) {
    __typename
    ... on Run { status startTime endTime stepStats { stepKey status startTime endTime } }
    ... on Error { message }
  }
}
"""
FAILURE: Final = """
query Failure($run: ID!) {
  logsForRun(runId: $run) {
    ... on EventConnection {
      events {
        __typename
        ... on ExecutionStepFailureEvent {
          stepKey error { className message cause { className message } } failureMetadata { description }
        }
        ... on RunFailureEvent { message }
      }
    }
  }
}
"""
RECENT: Final = """
query Recent($limit: Int!) {
  runsOrError(limit: $limit) { ... on Runs { results { runId jobName status startTime endTime } } }
}
"""
TAGGED: Final = """
query Tagged($key: String!, $value: String!) {
  runsOrError(filter: {tags: [{key: $key, value: $value}]}, limit: 1) {
    ... on Runs { results { runId } }
  }
}
"""
LATEST: Final = """
query Latest($assets: [AssetKeyInput!]!) {
  assetsLatestInfo(assetKeys: $assets) {
    assetKey { path } latestRun { runId jobName status startTime endTime }
  }
}
"""
DAEMONS: Final = """
query Daemons {
  instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } }
}
"""
ENDED: Final = """
query Ended($since: Float!, $limit: Int!) {
  runsOrError(filter: {statuses: [SUCCESS, FAILURE, CANCELED], updatedAfter: $since}, limit: $limit) {
    ... on Runs {
      results { runId jobName status startTime endTime stepStats { stepKey startTime endTime } }
    }
  }
}
"""
UNFINISHED: Final = """
query Unfinished($limit: Int!) {
  waiting: runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, STARTING]}, limit: $limit) {
    ... on Runs { results { runId jobName creationTime tags { key value } } }
  }
  started: runsOrError(filter: {statuses: [STARTED]}, limit: $limit) {
    ... on Runs {
      results { runId jobName creationTime startTime tags { key value } stepStats { startTime endTime } }
    }
  }
}
"""
# Without a bound Dagster reads ticks by an id that has the port of the code server in it, which changes with
# each start of the stack: it then finds none.
AUTOMATIONS: Final = """
query Automations($now: Float!, $later: Float!) {
  repositoriesOrError {
    ... on RepositoryConnection {
      nodes {
        sensors { name minIntervalSeconds sensorState { ...State } }
        schedules {
          name scheduleState { ...State }
          potentialTickTimestamps(startTimestamp: $now, lowerLimit: 1, upperLimit: 1)
        }
      }
    }
  }
}
fragment State on InstigationState {
  status
  ticks(limit: 2, beforeTimestamp: $later) {
    timestamp status error { className message cause { className message } }
  }
}
"""
LOCATIONS: Final = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
