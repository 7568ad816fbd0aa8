-- What comes before cas.lua: the usual case, in which the session is as the caller knows it and ends when it did before, its
-- owner's keys stay as long, and no one has to hear of it. It comes before common.lua as well, whose functions are made
-- anew by each run of a script.
-- KEYS: the session; of an owner's session also the owner's expiry, order and revocation.
-- ARGV: now, deadline, the first 17 bytes of what is there if its end is that of the new value (if not, only the version in
-- them counts), or '' for nothing, the new value, how long its key stays, sid, '1' if others have to hear of it; what
-- noting.lua takes, in which case none of it is usual.
-- Answers the server's time if the value was written.
local time = redis.call('TIME')
local at = time[1] * 1000000 + time[2]
if at > tonumber(ARGV[2]) then return {'LATE', time[1], time[2]} end
if ARGV[7] == '0' and not ARGV[8] and struct.unpack('>I8', ARGV[4], 2) > tonumber(ARGV[1]) then
  local head = redis.call('GETRANGE', KEYS[1], 0, 24)
  if string.sub(head, 1, 17) == ARGV[3]
    and (head == '' or struct.unpack('>I8', head, 18) <= struct.unpack('>I8', ARGV[4], 18))
    and (not KEYS[2] or redis.call('PTTL', KEYS[2]) >= tonumber(ARGV[5])) then
    redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
    return at
  end
end
