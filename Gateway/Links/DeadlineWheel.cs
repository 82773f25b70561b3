using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Links;

/// <summary>Something that is to happen on an event loop at a time that is mostly put off again.</summary>
internal abstract class Deadline
{
    internal Deadline? Next;
    internal Deadline? Previous;
    internal long DueTick;

    /// <summary>True while the wheel holds it.</summary>
    public bool IsSet => Next is not null;

    /// <summary>The time has come. Runs on the loop; may set the deadline again.</summary>
    public abstract void OnDue();
}

/// <summary>The deadlines of one event loop: a wheel of lists, so that setting and clearing cost the same however many there are.</summary>
/// <remarks>One tick is a quarter second, in which only that tick's list is looked at. On its loop only.</remarks>
internal sealed class DeadlineWheel : IRunnable
{
    private const int Slots = 4096;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    private readonly IEventLoop loop;
    private readonly TimeProvider time;
    private readonly long started;
    private readonly Head[] heads = new Head[Slots];
    private readonly Head due = new();
    private long nextTick;
    private int count;
    private bool scheduled;

    public DeadlineWheel(IEventLoop loop, TimeProvider time)
    {
        this.loop = loop;
        this.time = time;
        started = time.GetTimestamp();
        for (var i = 0; i < Slots; i++) heads[i] = new Head();
    }

    /// <summary>Sets or moves a deadline; it comes due at that time or up to a tick later.</summary>
    public void Set(Deadline deadline, TimeSpan after)
    {
        Clear(deadline);
        count++;
        deadline.DueTick = Math.Max(nextTick, TickOf(time.GetElapsedTime(started) + after) + 1);
        Append(deadline, heads[deadline.DueTick % Slots]);
        if (!scheduled) Schedule();
    }

    /// <summary>Takes a deadline off; nothing happens if it is not set.</summary>
    public void Clear(Deadline deadline)
    {
        if (!deadline.IsSet) return;
        Unlink(deadline);
        count--;
    }

    void IRunnable.Run()
    {
        scheduled = false;
        var now = TickOf(time.GetElapsedTime(started));
        // After a pause longer than a turn of the wheel every list is due once, not many times.
        for (nextTick = Math.Max(nextTick, now - Slots + 1); nextTick <= now; nextTick++) CollectDue(heads[nextTick % Slots], now);
        try
        {
            // One by one from the front: what comes due may set, move and clear any other, also one that waits here.
            while (due.Next is { } first && first != due)
            {
                Clear(first);
                first.OnDue();
            }
        }
        finally
        {
            if (count > 0 && !scheduled) Schedule();
        }
    }

    private void CollectDue(Head head, long now)
    {
        for (var deadline = head.Next!; deadline != head;)
        {
            var next = deadline.Next!;
            if (deadline.DueTick <= now)
            {
                Unlink(deadline);
                Append(deadline, due);
            }

            deadline = next;
        }
    }

    private static void Append(Deadline deadline, Head head)
    {
        deadline.Next = head;
        deadline.Previous = head.Previous;
        head.Previous!.Next = deadline;
        head.Previous = deadline;
    }

    private static void Unlink(Deadline deadline)
    {
        deadline.Previous!.Next = deadline.Next;
        deadline.Next!.Previous = deadline.Previous;
        deadline.Next = deadline.Previous = null;
    }

    private void Schedule()
    {
        scheduled = true;
        loop.Schedule(this, Tick);
    }

    private static long TickOf(TimeSpan elapsed) => elapsed.Ticks / Tick.Ticks;

    private sealed class Head : Deadline
    {
        public Head() => Next = Previous = this;

        public override void OnDue()
        {
        }
    }
}
