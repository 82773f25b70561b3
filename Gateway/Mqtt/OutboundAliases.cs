using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Mqtt;

/// <summary>The topic aliases the broker has set for one client. [MQTT-3.3.2.3.4]</summary>
/// <remarks>First come, first served, up to the client's maximum and a bound of our own; a topic without alias is sent in full.</remarks>
internal sealed class OutboundAliases(ushort maximum)
{
    private const int MaxRemembered = 256;
    private readonly Dictionary<TopicName, ushort> known = [];

    /// <summary>What to send as topic: nothing once the client knows the alias.</summary>
    /// <param name="alias">The alias to send with it; 0 for none.</param>
    public ReadOnlySpan<byte> Use(TopicName topic, ReadOnlySpan<byte> asSeen, out ushort alias)
    {
        if (known.TryGetValue(topic, out alias)) return [];
        if (known.Count >= Math.Min((int)maximum, MaxRemembered)) return asSeen;
        alias = (ushort)(known.Count + 1); // never above the client's maximum [MQTT-3.1.2-26]
        known.Add(topic, alias);
        return asSeen;
    }

    /// <summary>Forgets an alias that was to be set by a packet that is not sent after all.</summary>
    public void Undo(TopicName topic, ushort alias, ReadOnlySpan<byte> sent)
    {
        if (alias != 0 && !sent.IsEmpty) known.Remove(topic);
    }
}
