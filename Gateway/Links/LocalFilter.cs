using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Links;

/// <summary>A filter to which transient sessions of one event loop are subscribed.</summary>
/// <remarks>Touched on that loop only. One subscriber is kept in place, as most filters have just one.</remarks>
internal sealed class LocalFilter(TopicFilter filter, int slot, int generation)
{
    private Subscriber single;
    private List<Subscriber>? many;

    /// <summary>The whole filter, mountpoint included.</summary>
    public TopicFilter Filter { get; } = filter;

    public int Slot { get; } = slot;

    public int Generation { get; } = generation;

    /// <summary>Runs until the shards know of this filter; null once they do. A second subscriber waits for it too (promise 2).</summary>
    public Task? Registering { get; set; }

    /// <summary>Who takes what still comes for a shared filter whose subscriber has left; null before.</summary>
    public MessageRouter? Heir { get; set; }

    /// <summary>How many sessions are subscribed.</summary>
    public int Count => many?.Count ?? (single.Session is null ? 0 : 1);

    /// <summary>A subscriber by its place, 0 to <see cref="Count"/> - 1; places move when one leaves.</summary>
    public Subscriber this[int at] => many is null ? single : many[at];

    /// <summary>Adds a session, which remembers the returned place.</summary>
    public int Add(in Subscriber subscriber)
    {
        if (many is null && single.Session is null)
        {
            single = subscriber;
            return 0;
        }

        if (many is null)
        {
            many = [single];
            single = default;
        }

        many.Add(subscriber);
        return many.Count - 1;
    }

    /// <summary>Changes the options of the subscriber at a place.</summary>
    public void Set(int place, in SubscriptionOptions options)
    {
        if (many is null) single = single with { Options = options };
        else many[place] = many[place] with { Options = options };
    }

    /// <summary>Takes out the subscriber at a place; the last one moves there and is told.</summary>
    public void RemoveAt(int place)
    {
        if (many is null)
        {
            single = default;
            return;
        }

        var last = many.Count - 1;
        if (place != last)
        {
            many[place] = many[last];
            many[place].Session!.Moved(this, place);
        }

        many.RemoveAt(last);
        if (many.Count == 0) many = null;
    }
}

/// <summary>One session at one filter.</summary>
internal readonly record struct Subscriber(TransientSession? Session, SubscriptionOptions Options);
