using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>One message on its way to one session, all of the session's matching subscriptions merged into one copy.</summary>
/// <param name="Message">What is delivered.</param>
/// <param name="Qos">The QoS of this delivery.</param>
/// <param name="Retain">The RETAIN flag of this delivery.</param>
/// <param name="Identifiers">Identifiers of the matching subscriptions.</param>
/// <param name="Share">The shared subscription it came by, as its whole filter; null for an ordinary one.</param>
/// <param name="Sequence">Its place in the session's order, from 1; 0 until the session gives it one.</param>
[GenerateSerializer, Immutable, Alias("Delivery")]
public readonly record struct Delivery(
    [property: Id(0)] ApplicationMessage Message,
    [property: Id(1)] Qos Qos,
    [property: Id(2)] bool Retain,
    [property: Id(3)] SubscriptionIdentifiers Identifiers = default,
    [property: Id(4)] string? Share = null,
    [property: Id(5)] long Sequence = 0)
{
    /// <summary>The packet identifier, 1 to 65,535, derived from <see cref="Sequence"/> so that it need not be stored
    /// and is the same when the session is loaded again.</summary>
    public ushort PacketIdentifier => (ushort)((Sequence - 1) % ushort.MaxValue + 1);

    /// <summary>What a session is to get of a message by one of its subscriptions.</summary>
    /// <param name="clientId">The session's client, for no-local.</param>
    /// <param name="upgradeQos">Deliver at the higher of the two QoS instead of the lower.</param>
    /// <param name="share">The shared subscription it came by; null for an ordinary one.</param>
    /// <returns>False if nothing: its own message, and it wants none of those. [MQTT-3.8.3-3]</returns>
    public static bool TryMake(
        ApplicationMessage message, in SubscriptionOptions options, string clientId, bool upgradeQos, string? share, out Delivery delivery)
    {
        delivery = default;
        if (options.NoLocal && message.PublisherId == clientId)
        {
            BrokerCounters.Add(Metric.DeliveryDroppedNoLocal);
            return false;
        }

        var qos = upgradeQos == message.Qos > options.Qos ? message.Qos : options.Qos;
        delivery = new Delivery(message, qos, options.RetainAsPublished && message.Retain, new SubscriptionIdentifiers(options.Identifier), share);
        return true;
    }

    /// <summary>One delivery for two subscriptions that matched: at the highest QoS and with all identifiers. [MQTT-3.3.4-2]</summary>
    public Delivery Merge(in Delivery other)
    {
        var identifiers = Identifiers;
        var more = other.Identifiers;
        foreach (var identifier in SubscriptionIdentifiers.AsSpan(more)) identifiers = identifiers.With(identifier);
        return this with { Qos = Qos > other.Qos ? Qos : other.Qos, Retain = Retain || other.Retain, Identifiers = identifiers };
    }
}
