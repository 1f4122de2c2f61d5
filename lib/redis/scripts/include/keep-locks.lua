-- keep-locks: keeps the unique locks of an aggregation set's members, which are about to be deleted (Q-03): from then
-- on, the locks say that their holders were aggregated. Without that, the next equal task would take over a lock whose
-- holder is no longer stored (see store-tasks).
--
-- keepLocks(set, taskPrefix, first)
--   set          zset of the members
--   KEYS[first..]  locks that the members' messages name, 500 at most; one that no member holds is left unchanged
local function keepLocks(set, taskPrefix, first)
  for i = first, #KEYS do
    local holder = redis.pcall('GET', KEYS[i])
    if type(holder) == 'string' and redis.call('ZSCORE', set, holder)
      and redis.pcall('HGET', taskPrefix .. holder, 'state') == 'aggregating' then
      redis.call('SET', KEYS[i], 'aggregated:' .. holder, 'KEEPTTL')
    end
  end
end
