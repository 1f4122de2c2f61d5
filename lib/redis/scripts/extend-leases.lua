-- extend-leases: extends the leases of running tasks, and returns which were canceled: a worker may have missed the
-- signal, so the cancellation is also on the task's record.
--
-- KEYS[1]    lease       zset   task id -> expiry, epoch seconds
-- ARGV[1]    taskPrefix  a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    leaseUntil  epoch seconds, from the caller's clock
-- ARGV[3..]  held        three per task: id; latest expiry that its holder ever asked for, epoch seconds; the note
--                        that its holder left on the record when it took the task
--
-- Reply      array of pairs, task id and a word, for tasks that were lost or canceled
--   LOST     its lease is gone, or the task was taken again in the meantime; nothing was written for it
--   any other word: its lease was extended; the word is the outcome of a cancellation: archive, delete or retry
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
