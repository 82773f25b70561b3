using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Links;

/// <summary>A filter to which transient sessions of one event loop are subscribed.</summary>
/// <remarks>Touched on that loop only. One subscriber is kept in place, as most filters have just one.</remarks>
internal sealed class LocalFilter(TopicFilter filter, int slot, int generation)
{
    private Subscriber single;
    private Crowd? crowd;

    private static readonly object Claiming = new();

    /// <summary>Its registration under way, its claim, or its heir: never two of them.</summary>
    private object? phase;

    /// <summary>The whole filter, mountpoint included.</summary>
    public TopicFilter Filter { get; } = filter;

    public int Slot { get; } = slot;

    public int Generation { get; } = generation;

    /// <summary>Runs until the shards know of this filter; null once they do. A second subscriber waits for it too (promise 2).</summary>
    public Task? Registering
    {
        get => phase as Task;
        set => phase = value;
    }

    /// <summary>Whether it is not yet known that its subscriber may hold it, as it is exclusive: a shard that comes up is not told of it.</summary>
    public bool IsClaiming
    {
        get => ReferenceEquals(phase, Claiming);
        set => phase = value ? Claiming : null;
    }

    /// <summary>Who takes what still comes for a shared filter whose subscriber has left; null before.</summary>
    public MessageRouter? Heir
    {
        get => phase as MessageRouter;
        set => phase = value;
    }

    /// <summary>Its place in its shard's list.</summary>
    public int HomePosition { get; set; }

    /// <summary>How many sessions are subscribed.</summary>
    public int Count => crowd?.All.Count ?? (single.Session is null ? 0 : 1);

    /// <summary>A subscriber by its place, 0 to <see cref="Count"/> - 1; places move when one leaves.</summary>
    public Subscriber this[int at] => crowd is null ? single : crowd.All[at];

    /// <summary>Whether a session is subscribed.</summary>
    public bool Contains(TransientSession session) => crowd is null ? ReferenceEquals(single.Session, session) : crowd.Places.ContainsKey(session);

    /// <summary>The options of a session that is subscribed.</summary>
    public SubscriptionOptions OptionsOf(TransientSession session) => (crowd is null ? single : crowd.All[crowd.Places[session]]).Options;

    /// <summary>Adds a session, or gives it other options.</summary>
    /// <returns>True if it is new.</returns>
    public bool Set(in Subscriber subscriber)
    {
        var isNew = !Contains(subscriber.Session!);
        if (crowd is null && (Count == 0 || !isNew)) single = subscriber;
        else if (!isNew) crowd!.All[crowd.Places[subscriber.Session!]] = subscriber;
        else Gather().Add(subscriber);
        return isNew;
    }

    /// <summary>Takes a session out, if it is there.</summary>
    public void Remove(TransientSession session)
    {
        if (crowd is not null) crowd.Remove(session);
        else if (ReferenceEquals(single.Session, session)) single = default;
        if (crowd is { All.Count: 0 }) crowd = null;
    }

    private Crowd Gather()
    {
        if (crowd is not null) return crowd;
        crowd = new Crowd();
        crowd.Add(single);
        single = default;
        return crowd;
    }

    /// <summary>Several subscribers, each found at once: an unsubscribe storm on a popular filter must not search.</summary>
    private sealed class Crowd
    {
        public readonly List<Subscriber> All = [];
        public readonly Dictionary<TransientSession, int> Places = [];

        public void Add(in Subscriber subscriber)
        {
            Places.Add(subscriber.Session!, All.Count);
            All.Add(subscriber);
        }

        /// <summary>The last one takes the place of the one that leaves.</summary>
        public void Remove(TransientSession session)
        {
            if (!Places.Remove(session, out var place)) return;
            var last = All[^1];
            All[place] = last;
            if (place != All.Count - 1) Places[last.Session!] = place;
            All.RemoveAt(All.Count - 1);
        }
    }
}

/// <summary>One session at one filter.</summary>
internal readonly record struct Subscriber(TransientSession? Session, SubscriptionOptions Options);
