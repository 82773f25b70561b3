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
        deadline.DueTick = Math.Max(nextTick, TickOf(time.GetElapsedTime(started) + after) + 1);
        var head = heads[deadline.DueTick % Slots];
        deadline.Next = head;
        deadline.Previous = head.Previous;
        head.Previous!.Next = deadline;
        head.Previous = deadline;
        count++;
        if (!scheduled) Schedule();
    }

    /// <summary>Takes a deadline off; nothing happens if it is not set.</summary>
    public void Clear(Deadline deadline)
    {
        if (!deadline.IsSet) return;
        deadline.Previous!.Next = deadline.Next;
        deadline.Next!.Previous = deadline.Previous;
        deadline.Next = deadline.Previous = null;
        count--;
    }

    void IRunnable.Run()
    {
        scheduled = false;
        var now = TickOf(time.GetElapsedTime(started));
        // After a pause longer than a turn of the wheel every list is due once, not many times.
        for (nextTick = Math.Max(nextTick, now - Slots + 1); nextTick <= now; nextTick++) RunSlot(heads[nextTick % Slots], now);
        if (count > 0) Schedule();
    }

    private void RunSlot(Head head, long now)
    {
        for (var deadline = head.Next!; deadline != head;)
        {
            var next = deadline.Next!;
            if (deadline.DueTick <= now)
            {
                Clear(deadline);
                deadline.OnDue();
                // What OnDue did may have unlinked `next`; its list is walked again then.
                if (!next.IsSet) next = head.Next!;
            }

            deadline = next;
        }
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
