using System.Diagnostics.CodeAnalysis;
using System.Text;
using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Mqtt;

/// <summary>A topic that one client publishes to.</summary>
internal sealed class PublisherTopic(byte[] utf8, TopicRoute route, bool hasAcceptableLevels)
{
    /// <summary>What it takes beside its names: five objects and its place among the aliases. Measured.</summary>
    private const int OverheadBytes = 272;

    private long allowedUntil;
    private int allowedIn;

    /// <summary>As the client writes it.</summary>
    public ReadOnlySpan<byte> Utf8 => utf8;

    /// <summary>The same as text, for access rules.</summary>
    public string AsWritten => Encoding.UTF8.GetString(utf8);

    public TopicRoute Route { get; } = route;

    /// <summary>The route instead of that while messages to `$delayed/…` wait; null for other topics.</summary>
    public TopicRoute? WhenDelaying { get; init; }

    /// <summary>The memory it takes, about: the name is held as the client writes it and as it is routed.</summary>
    public int HeldBytes => OverheadBytes + utf8.Length + Route.Name.Utf8.Length;

    public bool HasAcceptableLevels { get; } = hasAcceptableLevels;

    /// <summary>Whether access rules let the client publish here, as far as is known.</summary>
    /// <param name="epoch">Of the access rules.</param>
    /// <param name="stamp">Now, as <see cref="TimeProvider.GetTimestamp"/> has it.</param>
    public bool MayBePublished(int epoch, long stamp) => stamp < allowedUntil && epoch == allowedIn;

    /// <summary>Access rules let the client publish here.</summary>
    /// <param name="until">When they are to be asked again, as <see cref="TimeProvider.GetTimestamp"/> will have it.</param>
    public void AllowPublish(int epoch, long until) => (allowedIn, allowedUntil) = (epoch, until);
}

/// <summary>The topics a client has published to lately, so that a topic is checked, hashed and routed once, and its topic aliases. [MQTT-3.3.2.3.4]</summary>
internal sealed class PublisherTopics(MessageRouter router, string mountpoint, MqttOptions options, Func<string, string>? rewrite = null, string? userName = null)
{
    /// <summary>Topics remembered for one client; a power of two.</summary>
    private const int Remembered = 8;

    /// <summary>Memory that one client's aliases may hold: enough for all 65,535 with names of 63 bytes.</summary>
    private const int MaxAliasBytes = 25 * 1024 * 1024;

    private PublisherTopic? last;
    private PublisherTopic?[]? recent;
    private Dictionary<ushort, PublisherTopic>? aliases;
    private int aliasBytes;

    /// <summary>The topic of a PUBLISH.</summary>
    /// <param name="code">Why there is none: topic name invalid, topic alias invalid, or protocol error.</param>
    public bool TryResolve(in PublishPacket packet, [NotNullWhen(true)] out PublisherTopic? topic, out ReasonCode code)
    {
        code = ReasonCode.Success;
        topic = null;
        if (packet.TopicAlias != 0) return TryResolveAlias(packet, out topic, out code);
        if (TryFind(packet.Topic, out topic)) return true;
        code = ReasonCode.TopicNameInvalid;
        return false;
    }

    private bool TryResolveAlias(in PublishPacket packet, [NotNullWhen(true)] out PublisherTopic? topic, out ReasonCode code)
    {
        topic = null;
        code = ReasonCode.TopicAliasInvalid;
        if (packet.TopicAlias > options.MaxTopicAlias) return false; // [MQTT-3.3.2-9]
        aliases ??= [];
        if (packet.Topic.IsEmpty)
        {
            code = ReasonCode.ProtocolError; // an alias that was never set
            return aliases.TryGetValue(packet.TopicAlias, out topic);
        }

        if (!TryFind(packet.Topic, out topic))
        {
            code = ReasonCode.TopicNameInvalid;
            return false;
        }

        if (aliases.TryGetValue(packet.TopicAlias, out var before)) aliasBytes -= before.HeldBytes;
        aliasBytes += topic.HeldBytes;
        code = ReasonCode.QuotaExceeded;
        if (aliasBytes > MaxAliasBytes) return false;
        aliases[packet.TopicAlias] = topic;
        return true;
    }

    private bool TryFind(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out PublisherTopic? topic)
    {
        topic = last;
        if (topic is not null && topic.Utf8.SequenceEqual(utf8)) return true;
        // Length and last bytes tell a client's topics apart well enough.
        var slot = utf8.IsEmpty ? 0 : (utf8.Length ^ utf8[^1] ^ (utf8[^1] >> 4) ^ utf8[utf8.Length / 2]) & (Remembered - 1);
        topic = recent?[slot];
        if (topic is not null && topic.Utf8.SequenceEqual(utf8))
        {
            last = topic;
            return true;
        }

        topic = Make(utf8);
        if (topic is null) return false;
        if (last is not null) (recent ??= new PublisherTopic?[Remembered])[slot] = topic;
        last = topic;
        return true;
    }

    private PublisherTopic? Make(ReadOnlySpan<byte> utf8)
    {
        if (!TopicName.TryParse(utf8, out var name)) return null;
        if (rewrite is not null && rewrite(name.Text) is var changed && changed != name.Text && TopicName.TryParse(Encoding.UTF8.GetBytes(changed), out var other)) name = other;
        // The mountpoint stands before the topic that the message will have.
        var delayed = DelayedTopic.Is(name) && DelayedTopic.Mount(name, Encoding.UTF8.GetBytes(mountpoint)) is { } waits ? router.DelayedRouteOf(waits, userName) : null;
        if (mountpoint.Length > 0 && !TopicName.TryParse([.. Encoding.UTF8.GetBytes(mountpoint), .. name.Utf8], out name)) return null;
        var acceptable = options.MaxTopicLevels == 0 || TopicLevels.Count(utf8) <= options.MaxTopicLevels;
        return new PublisherTopic(utf8.ToArray(), router.DirectRouteOf(name), acceptable) { WhenDelaying = delayed };
    }
}
