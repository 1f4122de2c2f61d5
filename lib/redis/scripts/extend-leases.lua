-- extend-leases: extends the leases of running tasks, and returns which were canceled: the signal of a
-- cancellation may have been missed, what it left on the task's record is not.
--
-- KEYS[1]    lease       zset   task id -> expiry, epoch seconds
-- ARGV[1]    taskPrefix  a task's hash is this and its id: built here, same hash slot
-- ARGV[2]    leaseUntil  epoch seconds, from the caller's clock
-- ARGV[3..]  held        three a task: id; latest expiry its holder ever asked for in epoch seconds; the note that
--                        its holder left on the record when it took the task
--
-- Reply      array of pairs, task id and a word, for the tasks there is something to say about:
--   LOST     its lease is gone, or the task has been taken anew since; nothing was written for it
--   any other word: its lease was kept, and this is what a cancellation asked for, archive, delete or retry
-- Cost       O(n log N), n ids given, N leased tasks of the queue
local lease = KEYS[1]
local taskPrefix, leaseUntil = ARGV[1], ARGV[2]

-- include: write-when-full

writeWhenFull(lease)
local news = {}
for i = 3, #ARGV, 3 do
  local taskId, heldUntil, note = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local expiry = redis.call('ZSCORE', lease, taskId)
  local record = redis.pcall('HMGET', taskPrefix .. taskId, 'x:o', 'x:cancel')
  local word = 'LOST'
  if expiry and tonumber(expiry) <= heldUntil and record[1] == note then
    redis.call('ZADD', lease, 'XX', leaseUntil, taskId)
    word = record[2]
  end
  if type(word) == 'string' then
    news[#news + 1] = taskId
    news[#news + 1] = word
  end
end
return news
