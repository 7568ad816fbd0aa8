-- What every script of this store begins with. Each names all its keys in KEYS, and all of them are in one slot.
--
-- A value is 'S', when the session expires (8 bytes, big endian, milliseconds) and the record; or, of a session that has
-- ended, 'E', until when that is remembered, and a letter for the reason. `now` is the caller's clock, and so is every
-- instant in a value; only a write's deadline is the server's.

local GRACE = 60000
local LONGEST = 3155760000000

local function text(number)
  return string.format('%.0f', number)
end

local function number_at(value, place)
  local number = struct.unpack('>I8', value, place)
  return number
end

local function bytes(number)
  return struct.pack('>I8', number)
end

-- How long a key stays that is dead at an instant: what is left until then, and a minute for clocks that are behind.
local function stay(instant, now)
  return text(math.max(1, math.min(instant - now + GRACE, LONGEST)))
end

local function entomb(key, reason, till, now)
  redis.call('SET', key, 'E' .. bytes(till) .. reason, 'PX', stay(till, now))
end

-- Tells every process that a session has ended, or that a record of another version was written. A user that may not
-- publish is not stopped by it.
local function tell(key, version)
  local tag, word = string.find(key, ':{', 1, true), ''
  for place = 1, #version do word = word .. string.format('%02x', string.byte(version, place)) end
  redis.pcall('PUBLISH', string.sub(key, 1, tag) .. 'endings', string.sub(key, tag + 1) .. ':' .. word)
end

-- What is under a key: 'live' with the first 25 bytes, 'ended' with the reason, or 'absent'. An expired session becomes
-- a tombstone, so that it is dead to every clock from then on.
local function look(key, now)
  local head = redis.call('GETRANGE', key, 0, 24)
  if head == '' then return 'absent' end
  local kind = string.sub(head, 1, 1)
  if kind ~= 'S' and kind ~= 'E' then error('NOSESSION a value that this version can not read') end
  local instant = number_at(head, 2)
  if kind == 'S' and instant > now then return 'live', head end
  if kind == 'E' and instant > now then return 'ended', string.sub(head, 10, 10) end
  if kind == 'S' and instant + GRACE > now then
    entomb(key, 'X', instant + GRACE, now)
    return 'ended', 'X'
  end
  redis.call('DEL', key)
  return 'absent'
end

-- Keeps an owner's keys at least as long as its sessions, and a little longer, so that this is rarely needed.
local function keep(expiry, order, revoked, least)
  local left = redis.call('PTTL', expiry)
  if left ~= -2 and left < least then
    local longer = least + math.floor(least / 8)
    redis.call('PEXPIRE', expiry, text(longer))
    redis.call('PEXPIRE', order, text(longer))
    redis.call('PEXPIRE', revoked, text(longer + 2 * GRACE))
  end
end

-- Takes a session out of its owner's index, with a tombstone if it lives: whether it lived. 'L' is no reason to end one:
-- what the index takes for expired and lives is put right instead.
local function strike(expiry, order, sid, key, reason, now)
  local state, head = look(key, now)
  if state == 'live' and reason == 'L' then
    redis.call('ZADD', expiry, 'XX', text(number_at(head, 2)), sid)
    return false
  end
  if state == 'live' then
    entomb(key, reason, now + GRACE, now)
    tell(key, '')
  end
  redis.call('ZREM', expiry, sid)
  redis.call('ZREM', order, sid)
  return state == 'live'
end
