using System.Globalization;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>A durable session's subscriptions, by filter and by the number a shard knows them by.</summary>
/// <remarks>Thread-safe: its grain changes it, shards' messages read it.</remarks>
internal sealed class SessionSubscriptions
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, SessionSubscription> byFilter = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, SessionSubscription> byNumber = [];
    private long lastNumber;

    public SessionSubscriptions(IEnumerable<SessionSubscription> stored)
    {
        foreach (var subscription in stored) Set(subscription);
    }

    public int Count
    {
        get
        {
            lock (gate) return byFilter.Count;
        }
    }

    /// <summary>A number never used in this activation before.</summary>
    public long NextNumber()
    {
        lock (gate) return ++lastNumber;
    }

    public SessionSubscription? Find(string filter)
    {
        lock (gate) return byFilter.GetValueOrDefault(filter);
    }

    public SessionSubscription? Find(ulong number)
    {
        lock (gate) return byNumber.GetValueOrDefault(number);
    }

    public SessionSubscription[] All()
    {
        lock (gate) return [.. byFilter.Values];
    }

    public void Set(SessionSubscription subscription)
    {
        lock (gate)
        {
            byFilter[subscription.Filter] = subscription;
            byNumber[(ulong)subscription.Number] = subscription;
            lastNumber = Math.Max(lastNumber, subscription.Number);
        }
    }

    public bool Remove(string filter)
    {
        lock (gate) return byFilter.Remove(filter, out var subscription) && byNumber.Remove((ulong)subscription.Number);
    }

    /// <summary>What is still to be sent of the retained messages; null if nothing.</summary>
    public RetainedRest[]? Rests()
    {
        List<RetainedRest>? rests = null;
        foreach (var subscription in All())
        {
            if (subscription.RetainedFrom is not { } from) continue;
            var end = from.IndexOf('/', StringComparison.Ordinal);
            var after = end == from.Length - 1 ? null : TopicName.Parse(from[(end + 1)..]);
            (rests ??= []).Add(new RetainedRest(
                new Subscription(TopicFilter.Parse(subscription.Filter), subscription.Options), int.Parse(from.AsSpan(0, end), CultureInfo.InvariantCulture), after));
        }

        return rests?.ToArray();
    }

    /// <summary>Remembers what is still to be sent of the retained messages: what is not named has been.</summary>
    /// <returns>The subscriptions that changed.</returns>
    public List<SessionSubscription> SetRests(RetainedRest[]? rests)
    {
        var changed = new List<SessionSubscription>();
        foreach (var subscription in All())
        {
            var from = Array.Find(rests ?? [], rest => rest.Subscription.Filter.Text == subscription.Filter) is { Subscription.Filter.Text: not null } found
                ? string.Create(CultureInfo.InvariantCulture, $"{found.Partition}/{found.After?.Text}") : null;
            if (from != subscription.RetainedFrom) changed.Add(subscription with { RetainedFrom = from });
        }

        changed.ForEach(Set);
        return changed;
    }

    /// <summary>What the session is to get of a message: one copy over all its matching subscriptions, at the highest QoS. [MQTT-3.3.4-2]</summary>
    public bool TryMakeDelivery(ApplicationMessage message, ulong[] numbers, string clientId, bool upgradeQos, out Delivery merged)
    {
        merged = default;
        var any = false;
        lock (gate)
        {
            foreach (var number in numbers)
            {
                if (!byNumber.TryGetValue(number, out var subscription)) continue;
                var share = subscription.Filter.StartsWith("$share/", StringComparison.Ordinal) || subscription.Filter.StartsWith("$queue/", StringComparison.Ordinal)
                    ? subscription.Filter : null;
                if (!Delivery.TryMake(message, subscription.Options, clientId, upgradeQos, share, out var one)) continue;
                merged = any ? merged.Merge(one) : one;
                any = true;
            }
        }

        return any;
    }
}
