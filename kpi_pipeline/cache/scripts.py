"""Lua scripts: Redis runs each atomically, so that no reader sees half a change."""

from typing import Final

from kpi_pipeline.cache.codec import BODY_AT, CONTENT_AT, DIGEST_SIZE, SIZES_AT

NEXT_FENCE: Final = """
-- KEYS: fence. Returns a fence above every one handed out, also by a server that was flushed since.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = tonumber(redis.call('GET', KEYS[1])) or 0
local fence = math.max(stored + 1, now)
redis.call('SET', KEYS[1], string.format('%.0f', fence))
return fence
"""

_DECODED: Final = """
-- An entry of the manifest or the history; one that is not as it was written counts for nothing.
-- A text is parsed once: with many scopes the same ones are read again and again.
local entries_of = {}
local function decoded(text)
  text = text or ''
  if not entries_of[text] then
    local body, digest = string.match(text, '^(.*),"digest":"(%x+)"}$')
    local parsed, entry = false, nil
    if body and redis.sha1hex(body) == digest then parsed, entry = pcall(cjson.decode, body .. '}') end
    entries_of[text] = parsed and type(entry) == 'table' and entry or {}
  end
  return entries_of[text]
end
"""

FLIP: Final = (
    _DECODED
    + """
-- KEYS: manifest of the whole firm, entries of replaced generations, revocation of the run, products that are
-- held, then for each new entry the manifest that it is for, and its generation's set of members.
-- ARGV: readings to keep besides the new one, whether what is held stays (1 or 0), then for each entry:
-- product, generation, fence, reading, members it must have, the entry's open JSON.
-- All go live, or none does. Returns the outcome, then the generations that are no longer kept, the one that
-- is incomplete, or the product that is held.
local entries = (#KEYS - 4) / 2

local function manifest(place) return KEYS[3 + 2 * place] end

local function members(place) return KEYS[4 + 2 * place] end

local function argument(place, number) return ARGV[6 * place - 4 + number] end

local function reading_of(name) return decoded(redis.call('HGET', KEYS[2], name)).reading or name end

-- By reading, how many other products hold a generation of it: all products go back to one reading.
local function held_by_others(manifest, product)
  local counts, fields = {}, redis.call('HGETALL', manifest)
  for at = 1, #fields, 2 do
    if fields[at] ~= product then
      local entry, readings = decoded(fields[at + 1]), {}
      if type(entry.reading) == 'string' then readings[entry.reading] = true end
      for _, name in ipairs(type(entry.previous) == 'table' and entry.previous or {}) do
        readings[reading_of(name)] = true
      end
      for reading in pairs(readings) do counts[reading] = (counts[reading] or 0) + 1 end
    end
  end
  return counts
end

-- What was read before the firm was rolled back goes live in no scope, also in one that showed nothing then.
local function is_rolled_back_since(place)
  if manifest(place) == KEYS[1] then return false end
  if type(cjson.decode(argument(place, 6) .. '}').rolled_back_at) == 'number' then return false end
  local firm = decoded(redis.call('HGET', KEYS[1], argument(place, 1)))
  if type(firm.rolled_back_at) ~= 'number' or type(firm.fence) ~= 'number' then return false end
  return firm.fence > tonumber(argument(place, 3))
end

if redis.call('EXISTS', KEYS[3]) == 1 then return {'revoked'} end
local texts, lives = {}, {}
for place = 1, entries do
  texts[place] = redis.call('HGET', manifest(place), argument(place, 1)) or ''
  lives[place] = decoded(texts[place])
  if type(lives[place].generation) ~= 'string' then lives[place] = {} end
  local fence = lives[place].fence
  if type(fence) == 'number' and fence > tonumber(argument(place, 3)) then return {'superseded'} end
  if is_rolled_back_since(place) then return {'superseded'} end
end
for place = 1, entries do
  local live, product = lives[place].generation, argument(place, 1)
  if ARGV[2] == '1' and live and live ~= argument(place, 2) then
    if redis.call('HEXISTS', KEYS[4], product) == 1 then return {'held', product} end
  end
end
for place = 1, entries do
  if redis.call('SCARD', members(place)) ~= tonumber(argument(place, 5)) then
    return {'incomplete', argument(place, 2)}
  end
end

local reply = {'live'}
for place = 1, entries do
  local live, generation = lives[place], argument(place, 2)
  if live.generation and live.generation ~= generation then
    redis.call('HSET', KEYS[2], live.generation, texts[place])
  end
  local replaced = {}
  if live.generation ~= generation then replaced[1] = live.generation end
  for _, name in ipairs(type(live.previous) == 'table' and live.previous or {}) do
    if name ~= generation then replaced[#replaced + 1] = name end
  end
  -- The newest stays whatever it is, to stand in for a damaged answer. Of each other reading the newest one
  -- can be rolled back to: those that most products hold are kept, the latest of them first.
  local seen, candidates = {[argument(place, 4)] = true}, {}
  local counts = held_by_others(manifest(place), argument(place, 1))
  for at, name in ipairs(replaced) do
    local reading = reading_of(name)
    if not seen[reading] then candidates[#candidates + 1] = {at, counts[reading] or 0} end
    seen[reading] = true
  end
  table.sort(candidates, function(one, other)
    if one[2] ~= other[2] then return one[2] > other[2] end
    return one[1] < other[1]
  end)
  local keeps = {[1] = true}
  for number = 1, math.min(#candidates, tonumber(ARGV[1])) do keeps[candidates[number][1]] = true end
  local kept = {}
  for at, name in ipairs(replaced) do
    if keeps[at] then
      kept[#kept + 1] = '"' .. name .. '"'
    else
      reply[#reply + 1] = name
      redis.call('HDEL', KEYS[2], name)
    end
  end
  redis.call('HDEL', KEYS[2], generation)
  local body = argument(place, 6) .. ',"previous":[' .. table.concat(kept, ',') .. ']'
  local text = body .. ',"digest":"' .. redis.sha1hex(body) .. '"}'
  redis.call('HSET', manifest(place), argument(place, 1), text)
  -- A scope that is no longer published is forgotten with its last generation.
  if manifest(place) ~= KEYS[1] then
    local expiry = redis.call('EXPIRETIME', members(place))
    redis.call('EXPIREAT', manifest(place), expiry, 'NX')
    redis.call('EXPIREAT', manifest(place), expiry, 'GT')
  end
end
return reply
"""
)

REUSE: Final = """
-- KEYS: the answers to copy, as many names for the copies, and the set of members that gets these names.
-- ARGV: when copies and set expire. A copy is named when it is made, so that it can be removed should
-- the generation fail.
-- Returns the stored size of all; -1, with nothing copied, when one of them is gone.
local size, half, members = 0, (#KEYS - 1) / 2, KEYS[#KEYS]
if redis.call('EXISTS', unpack(KEYS, 1, half)) < half then return -1 end
for place = 1, half do
  redis.call('COPY', KEYS[place], KEYS[half + place], 'REPLACE')
  redis.call('EXPIREAT', KEYS[half + place], ARGV[1])
  size = size + redis.call('STRLEN', KEYS[place])
end
redis.call('SADD', members, unpack(KEYS, half + 1, 2 * half))
redis.call('EXPIREAT', members, ARGV[1])
return size
"""

COMPLETE: Final = f"""
-- KEYS: as of REUSE. ARGV: when copies and set expire, then for each copy the completion in place of that of
-- the answer: what `codec.completion` gives. Where an answer ends before it follows from the sizes of its
-- zstd and its gzip part.
-- Returns the stored size of all; -1, with nothing written, when one of them is gone or has no completion.
local size, half, members = 0, (#KEYS - 1) / 2, KEYS[#KEYS]
local answers = redis.call('MGET', unpack(KEYS, 1, half))
local ends = {{}}
for place, answer in ipairs(answers) do
  if not answer or #answer < {CONTENT_AT} then return -1 end
  local zstd, gzip = struct.unpack('<I4I4', answer, {SIZES_AT + 1})
  ends[place] = {CONTENT_AT} + zstd + gzip
  if #answer <= ends[place] + {DIGEST_SIZE} then return -1 end
end
for place, answer in ipairs(answers) do
  local completed = string.sub(answer, 1, ends[place]) .. ARGV[1 + place]
  redis.call('SET', KEYS[half + place], completed, 'EXAT', ARGV[1])
  size = size + #completed
end
redis.call('SADD', members, unpack(KEYS, half + 1, 2 * half))
redis.call('EXPIREAT', members, ARGV[1])
return size
"""

CONTENTS: Final = f"""
-- KEYS: some keys. Returns for each the digests that stand in it, of all up to its completion and of this:
-- equal ones for equal values, as long as these are as they were written; '' where there is none.
local found = {{}}
for place, key in ipairs(KEYS) do
  local head, text = redis.call('GETRANGE', key, 0, {CONTENT_AT - 1}), ''
  if #head == {CONTENT_AT} then
    local zstd, gzip = struct.unpack('<I4I4', head, {SIZES_AT + 1})
    local at = {CONTENT_AT} + zstd + gzip
    local completion = redis.call('GETRANGE', key, at, at + {DIGEST_SIZE - 1})
    text = string.sub(head, {BODY_AT - DIGEST_SIZE + 1}, {BODY_AT}) .. completion
  end
  found[place] = text
end
return found
"""

PROLONG: Final = """
-- KEYS: some keys. ARGV: when they expire, never sooner than before.
-- Returns 1; 0, with nothing changed, when one of them is gone.
if redis.call('EXISTS', unpack(KEYS)) < #KEYS then return 0 end
for _, key in ipairs(KEYS) do redis.call('EXPIREAT', key, ARGV[1], 'GT') end
return 1
"""

ADD: Final = """
-- KEYS: the generation's set of members, the names of what was added to it, then a key for each answer.
-- ARGV: how many answers to keep at most, the present, then an answer for each key.
-- They expire with the generation; the earliest added make room. Returns 0, with nothing added, where the
-- generation is gone.
local expiry = redis.call('EXPIRETIME', KEYS[1])
if expiry < 0 then return 0 end
for place = 3, #KEYS do
  redis.call('SET', KEYS[place], ARGV[place], 'EXAT', expiry)
  redis.call('ZADD', KEYS[2], ARGV[2], KEYS[place])
end
for _, key in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1 - ARGV[1])) do redis.call('UNLINK', key) end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[1])
redis.call('EXPIREAT', KEYS[2], expiry)
return 1
"""

RETIRE: Final = (
    _DECODED
    + """
-- KEYS: manifest, history, the generation's set of members, the name the set gets. ARGV: generation.
-- Renames the set, unless manifest or history names the generation, so that it can never go live
-- again. Nothing is renamed while an entry is not as it was written: nobody knows what it has named, and what
-- it may have named expires by itself. Returns 1 when the set was renamed.
for place = 1, 2 do
  for _, text in ipairs(redis.call('HVALS', KEYS[place])) do
    local entry = decoded(text)
    if not entry.generation then return 0 end
    if entry.generation == ARGV[1] then return 0 end
    for _, name in ipairs(type(entry.previous) == 'table' and entry.previous or {}) do
      if name == ARGV[1] then return 0 end
    end
  end
end
if redis.call('EXISTS', KEYS[3]) == 0 then return 0 end
redis.call('RENAME', KEYS[3], KEYS[4])
return 1
"""
)

KEEP_MONTH_END: Final = (
    _DECODED
    + """
-- KEYS: history, the generation's set of members, revocation of its run.
-- ARGV: field, generation, fence, members it must have, the entry's JSON.
-- Returns the outcome, then the generation that was replaced, if one was.
if redis.call('EXISTS', KEYS[3]) == 1 then return {'revoked'} end
local kept = decoded(redis.call('HGET', KEYS[1], ARGV[1]))
if type(kept.fence) == 'number' and kept.fence > tonumber(ARGV[3]) then return {'superseded'} end
if redis.call('SCARD', KEYS[2]) ~= tonumber(ARGV[4]) then return {'incomplete'} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[5])
if type(kept.generation) == 'string' and kept.generation ~= ARGV[2] then return {'live', kept.generation} end
return {'live'}
"""
)

FORGET_MONTH_END: Final = """
-- KEYS: history. ARGV: field, its text. Returns 1 when the field still had that text and was deleted.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
"""

TAKE_LEASE: Final = """
-- KEYS: lease, revocation of the holder. ARGV: holder, milliseconds. Returns 1 when the lease is the
-- holder's now, 0 when another holds it, -1 when the holder may hold none any more.
if redis.call('EXISTS', KEYS[2]) == 1 then return -1 end
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then
  -- One that lasts longer than any is taken for was taken before the server's clock was set back.
  if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

TAKE_TURN: Final = """
-- KEYS: turn. ARGV: holder, milliseconds. Returns 1 when the turn is the holder's now, 0 when another has it.
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

RELEASE_LEASE: Final = """
-- KEYS: lease. ARGV: holder. Returns 1 when it was the holder's and is free now, else 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
"""

SUBMIT: Final = """
-- KEYS: stream, id in flight for the same thing, task. ARGV: id, seconds in flight, seconds a task
-- is kept, length of the stream, then names and values of the request.
-- Returns the id of the request in flight: the one given, or an equal one submitted before. A full stream
-- takes no more: one that is cut leaves tasks that nobody works on.
local id = redis.call('GET', KEYS[2])
if id then return id end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return redis.error_reply('FULL the stream of requests is full: try again when the dispatcher has read some')
end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 5))
redis.call('HSET', KEYS[3], 'state', 'queued', unpack(ARGV, 5))
redis.call('EXPIRE', KEYS[3], ARGV[3])
return ARGV[1]
"""

ADVANCE: Final = """
-- KEYS: task, id in flight for the same thing. ARGV: id, the new state, seconds to stay in flight (0
-- ends the flight), then names and values to set. A task that is gone or has ended stays as it is.
-- Returns 1 when the task took the state.
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'started' then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], unpack(ARGV, 4))
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('EXPIRE', KEYS[2], ARGV[3]) end
return 1
"""

JOIN_RUN: Final = """
-- KEYS: tasks that joined a run. ARGV: seconds to keep them, then ids of tasks.
-- Returns 1 when they have joined; 0, with nothing changed, when the run has begun to read or has ended.
if redis.call('HEXISTS', KEYS[1], 'reading') == 1 or redis.call('HEXISTS', KEYS[1], 'ended') == 1 then
  return 0
end
for at = 2, #ARGV do redis.call('HSET', KEYS[1], ARGV[at], '') end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""

HAND_ON: Final = """
-- KEYS: task, id in flight for the same thing, stream. ARGV: id, seconds in flight, then names and values of
-- the request. A task that is gone or has ended stays as it is.
-- Returns 1 when the request is in the stream again, with its task.
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'started' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'queued')
redis.call('HDEL', KEYS[1], 'run_id', 'started_at')
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2], 'NX')
redis.call('XADD', KEYS[3], '*', unpack(ARGV, 3))
return 1
"""

WEIGH: Final = """
-- KEYS: items by weight. ARGV: the present in half-lives, how many to keep, seconds to keep them, then
-- items and how often each was requested. A score is the binary logarithm of the sum of all requests,
-- each grown by its time, so that scores decay against each other without being rewritten. A score
-- beyond every real count was written by a clock far ahead, and counts for nothing.
local now = tonumber(ARGV[1])
for at = 4, #ARGV, 2 do
  local score = now + math.log(tonumber(ARGV[at + 1])) / math.log(2)
  local held = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[at]))
  if held and held < now + 40 then
    local more, less = math.max(held, score), math.min(held, score)
    score = more + math.log(1 + 2 ^ (less - more)) / math.log(2)
  end
  redis.call('ZADD', KEYS[1], string.format('%.17g', score), ARGV[at])
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""
