-- keep-locks: lets unique locks of the members of an aggregation set outlive those, who are about to vanish (Q-03): they
-- say from then on that their holders were aggregated. A lock whose holder has merely vanished is taken over by the next
-- task (see store-tasks).
--
-- keepLocks(set, taskPrefix, first)
--   set          zset of the members
--   KEYS[first..]  locks that messages of the members name, 500 at most; one that no member holds stays as it is
local function keepLocks(set, taskPrefix, first)
  for i = first, #KEYS do
    local holder = redis.pcall('GET', KEYS[i])
    if type(holder) == 'string' and redis.call('ZSCORE', set, holder)
      and redis.pcall('HGET', taskPrefix .. holder, 'state') == 'aggregating' then
      redis.call('SET', KEYS[i], 'aggregated:' .. holder, 'KEEPTTL')
    end
  end
end
