-- The live sessions of an owner, oldest login first.
-- KEYS: the owner's expiry and order. ARGV: now, the sid to go on after or '', how many.
local now, most, from = tonumber(ARGV[1]), tonumber(ARGV[3]), '-inf'
if ARGV[2] ~= '' then
  local place = redis.call('ZSCORE', KEYS[2], ARGV[2])
  if place then from = '(' .. place end
end
local live = {}
while #live < most do
  local members = redis.call('ZRANGEBYSCORE', KEYS[2], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 100)
  for place = 1, #members, 2 do
    local instant = redis.call('ZSCORE', KEYS[1], members[place])
    if instant and tonumber(instant) > now and #live < most then live[#live + 1] = members[place] end
    from = '(' .. members[place + 1]
  end
  if #members < 200 then break end
end
return live
