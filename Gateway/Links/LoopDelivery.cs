using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using DotNetty.Common.Concurrency;

namespace Broker.Gateway.Links;

/// <summary>Brings messages to the transient sessions of one event loop, by route.</summary>
/// <remarks>A giant fan-out is cut into slices, between which the loop does other work. Further messages of its topic wait behind it, so that
/// each topic keeps its order; other topics pass. On its loop only.</remarks>
internal sealed class LoopDelivery(LoopContext context) : ILetterBox, IRunnable
{
    /// <summary>Deliveries made at a stretch: some 2 ms of work.</summary>
    private const int SliceSize = 2048;

    /// <summary>So many deliveries may wait for their slice before publishers are asked to wait: some 10 MB.</summary>
    private const int Behind = 100_000;

    private readonly List<TransientSession> touched = [];
    private readonly Dictionary<TopicName, Queue<FanOut>> slicing = [];
    private readonly Queue<TopicName> turns = new();
    private long stamp;
    private int waiting;

    /// <summary>True if publishers should wait until slices have been worked off. Any thread.</summary>
    public bool IsBehind => Volatile.Read(ref waiting) >= Behind;

    /// <summary>Delivers a message to everybody behind its routes.</summary>
    /// <param name="routes">Routes of this loop.</param>
    public void Deliver(ApplicationMessage message, ReadOnlySpan<ulong> routes)
    {
        if (slicing.Count > 0 && slicing.TryGetValue(message.Topic, out var before))
        {
            var job = Collect(message, routes);
            waiting += job.Count;
            before.Enqueue(job);
            return;
        }

        if (routes.Length == 1)
        {
            if (context.Filters.Find(routes[0]) is { } filter) DeliverOne(message, filter);
        }
        else if (routes.Length > 1)
        {
            DeliverMerged(message, routes);
        }
    }

    /// <summary>Messages from other threads: subject is the message, detail its routes.</summary>
    void ILetterBox.Open(in Letter letter) => Deliver((ApplicationMessage)letter.Subject!, (ulong[])letter.Detail!);

    /// <summary>The next slice of the topic whose turn it is.</summary>
    void IRunnable.Run()
    {
        if (!turns.TryDequeue(out var topic)) return;
        var jobs = slicing[topic];
        var wasBehind = IsBehind;
        waiting -= Math.Min(SliceSize, jobs.Peek().Left);
        if (jobs.Peek().Continue(SliceSize)) jobs.Dequeue();
        if (wasBehind && !IsBehind) context.Mailbox.Relieve();
        if (jobs.Count == 0) slicing.Remove(topic);
        else turns.Enqueue(topic);
        if (turns.Count > 0) context.Loop.Execute(this);
    }

    private void DeliverOne(ApplicationMessage message, LocalFilter filter)
    {
        var count = filter.Count;
        if (count > SliceSize)
        {
            Slice(message.Topic, Collect(message, [context.Filters.RouteOf(filter)]));
            return;
        }

        if (count == 0) filter.Heir?.RedispatchSoon(context, message, filter.Filter);
        var share = filter.Filter.IsShared ? filter.Filter.Text : null;
        for (var at = 0; at < count; at++)
        {
            var subscriber = filter[at];
            if (subscriber.Session!.TryMakeDelivery(message, subscriber.Options, share, out var delivery)) subscriber.Session.Deliver(delivery, count > 1);
        }
    }

    /// <summary>Several filters matched: a session behind more than one of them gets one copy, at the highest QoS and with all identifiers. [MQTT-3.3.4-2]</summary>
    private void DeliverMerged(ApplicationMessage message, ReadOnlySpan<ulong> routes)
    {
        var job = Collect(message, routes);
        if (job.Count > SliceSize) Slice(message.Topic, job);
        else job.Continue(int.MaxValue);
    }

    private void Slice(TopicName topic, FanOut job)
    {
        waiting += job.Count;
        slicing.Add(topic, new Queue<FanOut>([job]));
        turns.Enqueue(topic);
        if (turns.Count == 1) context.Loop.Execute(this);
    }

    /// <summary>Who gets the message, as of now: subscriptions may change while the slices run.</summary>
    private FanOut Collect(ApplicationMessage message, ReadOnlySpan<ulong> routes)
    {
        stamp++;
        var job = new FanOut();
        foreach (var route in routes)
        {
            if (context.Filters.Find(route) is not { } filter) continue;
            if (filter.Count == 0) filter.Heir?.RedispatchSoon(context, message, filter.Filter);
            var share = filter.Filter.IsShared ? filter.Filter.Text : null;
            for (var at = 0; at < filter.Count; at++)
            {
                var (session, options) = filter[at];
                if (!session!.TryMakeDelivery(message, options, share, out var delivery)) continue;
                if (share is not null) job.Add(session, delivery);
                else if (session.Merge(stamp, delivery)) touched.Add(session);
            }
        }

        foreach (var session in touched) job.Add(session, session.TakeMerged());
        touched.Clear();
        return job;
    }

    /// <summary>One message's deliveries and how far they have got.</summary>
    private sealed class FanOut
    {
        private readonly List<(TransientSession Session, Delivery Delivery)> all = [];
        private int next;

        public int Count => all.Count;

        public int Left => all.Count - next;

        public void Add(TransientSession session, in Delivery delivery) => all.Add((session, delivery));

        /// <returns>True if it is done.</returns>
        public bool Continue(int limit)
        {
            for (var end = Math.Min(all.Count, next + (long)limit); next < end; next++) all[next].Session.Deliver(all[next].Delivery, all.Count > 1);
            return next == all.Count;
        }
    }
}
