-- lease-maintenance: takes, renews or releases the maintenance lease of a queue.
--
-- KEYS[1]  maintenance  string  end of the lease, epoch milliseconds, a space, and its holder
-- ARGV[1]  owner        who asks: host:pid:server-id
-- ARGV[2]  now          epoch milliseconds, from the caller's clock
-- ARGV[3]  length       milliseconds; 0 releases it
--
-- Reply    for how many milliseconds another server holds it; 0 when the caller may do the maintenance
-- Cost     O(1)
local maintenance = KEYS[1]
local owner, now, length = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

-- include: notices

local held = redis.pcall('GET', maintenance)
if type(held) == 'table' then
  -- A server that cannot hold the lease maintains the queue alongside others.
  isSound(maintenance, 'string')
  return withNotices(0)
end
local till, holder = string.match(held or '', '^(%d+) (.+)$')
local left = tonumber(till or 0) - now
if holder == owner and length == 0 then
  redis.call('DEL', maintenance)
elseif holder and holder ~= owner and left > 0 then
  -- Also expires by the server's clock, since the clocks of two callers may differ.
  return math.max(1, math.min(left, redis.call('PTTL', maintenance)))
elseif length > 0 then
  -- A server out of memory refuses this: then every caller maintains the queue.
  redis.pcall('SET', maintenance, string.format('%.0f', now + length) .. ' ' .. owner, 'PX', length)
end
return 0
