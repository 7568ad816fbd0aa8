-- Writes a record if the stored version is the expected one.
-- KEYS: the session; of an owner's session also the owner's expiry, order and revocation.
-- ARGV: now, deadline, expected version or '', expires, record, sid, '1' if others have to hear of it.
local at, now = server_time(), tonumber(ARGV[1])
if at > tonumber(ARGV[2]) then return {'LATE', text(at)} end
local expires, record = tonumber(ARGV[4]), ARGV[5]
local state, head = look(KEYS[1], now)
if state == 'ended' then return {'GONE', text(at), head} end
if state == 'absent' and ARGV[3] ~= '' then return {'GONE', text(at), ''} end
if state == 'live' then
  if string.sub(head, 10, 17) ~= ARGV[3] then return {'CONFLICT', text(at), redis.call('GET', KEYS[1])} end
  -- The last use never moves back.
  if number_at(head, 18) > number_at(record, 9) then
    record = string.sub(record, 1, 8) .. string.sub(head, 18, 25) .. string.sub(record, 17)
  end
end
note()
local least = stay(expires, now)
redis.call('SET', KEYS[1], 'S' .. bytes(expires) .. record, 'PX', least)
if KEYS[2] then
  redis.call('ZADD', KEYS[2], 'XX', ARGV[4], ARGV[6])
  keep(KEYS[2], KEYS[3], KEYS[4], tonumber(least))
end
if ARGV[7] == '1' then tell(KEYS[1], string.sub(record, 1, 8)) end
return {'STORED', text(at)}
