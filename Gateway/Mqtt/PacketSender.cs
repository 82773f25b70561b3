using Broker.Gateway.Hooks;
using Broker.Gateway.Links;
using Broker.Gateway.Modules;
using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Gateway.Tracing;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Sessions;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Mqtt;

/// <summary>Writes packets to one client: encodes them one behind the other into a buffer that is flushed once per turn of the loop.</summary>
/// <remarks>On the connection's event loop only. What the client said it cannot take (packet size, topic aliases) is obeyed here.</remarks>
internal sealed class PacketSender(IChannel channel, LoopContext loop, Traffic traffic)
{
    private const int BufferBytes = 2048;
    private const int MaxBufferBytes = 64 * 1024;

    private MqttCodec codec = MqttCodec.For(ProtocolVersion.V311);
    private OutboundAliases? aliases;
    private IByteBuffer? buffer;
    private int bufferSize = BufferBytes;
    private bool flushScheduled;
    private int mountpointBytes;
    private ClientInfo? client;
    private DeliveryHooks? hooked;
    private DeliveryTimes? times;
    private uint maximumPacketSize = uint.MaxValue;
    private bool sendsProblemInformation = true;

    /// <summary>What traces the connection; null while nothing does.</summary>
    public ConnectionTracer? Tracer { get; set; }

    /// <summary>False while the socket cannot keep up.</summary>
    public bool IsWritable => channel.IsWritable;

    /// <summary>Speaks the client's version from now on.</summary>
    public void Speak(MqttCodec clientCodec) => codec = clientCodec;

    /// <summary>The client is accepted: takes its mountpoint off every topic.</summary>
    /// <param name="mountpoint">How many bytes that puts before them.</param>
    public void Serve(ClientInfo accepted, int mountpoint) => (client, mountpointBytes) = (accepted, mountpoint);

    /// <summary>Keeps to the client's limits from now on.</summary>
    public void Limit(ConnectPacket connect)
    {
        maximumPacketSize = connect.MaximumPacketSize ?? uint.MaxValue;
        sendsProblemInformation = connect.RequestProblemInformation;
        if (connect.TopicAliasMaximum > 0) aliases = new OutboundAliases(connect.TopicAliasMaximum);
    }

    /// <summary>Whether the client accepts a packet as large as this one must be.</summary>
    public bool Accepts(ControlPacket packet) => codec.Measure(packet) <= maximumPacketSize || codec.Measure(Shortened(packet)) <= maximumPacketSize;

    /// <summary>Writes a rare packet.</summary>
    /// <returns>False if it is larger than the client accepts, also without what only explains. [MQTT-3.1.2-24]</returns>
    public bool TrySend(ControlPacket packet)
    {
        var size = codec.Measure(packet);
        if (size > maximumPacketSize)
        {
            packet = Shortened(packet);
            size = codec.Measure(packet);
            if (size > maximumPacketSize) return false;
        }

        codec.Write(packet, Reserve(size));
        Written(size);
        traffic.PacketsSent++;
        SentPackets.Count(packet);
        Tracer?.Sent(packet);
        return true;
    }

    /// <summary>Writes a PUBACK, PUBREC, PUBREL or PUBCOMP.</summary>
    public void Acknowledge(PacketType type, ushort packetIdentifier, ReasonCode code)
    {
        Written(codec.WriteAcknowledgement(type, packetIdentifier, code, Reserve(MqttCodec.MaxAcknowledgementBytes)));
        traffic.PacketsSent++;
        Tracer?.Acknowledged("sent", type, packetIdentifier, code);
        BrokerCounters.Add(type switch
        {
            PacketType.Puback => Metric.PacketsPubackSent,
            PacketType.Pubrec => Metric.PacketsPubrecSent,
            PacketType.Pubrel => Metric.PacketsPubrelSent,
            _ => Metric.PacketsPubcompSent,
        });
    }

    /// <summary>The client has acknowledged what it got under an identifier, with PUBACK or PUBREC.</summary>
    public void NoteAcknowledged(ushort packetIdentifier)
    {
        hooked?.Acknowledged(packetIdentifier);
        times?.Acknowledged(packetIdentifier, isComplete: false);
    }

    /// <summary>PUBCOMP has come for what the client got under an identifier.</summary>
    public void NoteCompleted(ushort packetIdentifier) => times?.Acknowledged(packetIdentifier, isComplete: true);

    /// <summary>Writes a PUBLISH.</summary>
    /// <param name="shared">Other subscribers are about to get the very same packet.</param>
    /// <returns>False if it is larger than the client accepts: then it counts as delivered. [MQTT-3.1.2-25]</returns>
    public bool Publish(in Delivery delivery, bool dup, bool shared)
    {
        var isWritten = loop.Hooks.WatchesDeliveries
            ? Write((hooked ??= new DeliveryHooks(loop.Hooks, client!)).Delivering(delivery), dup, shared: false)
            : Write(delivery, dup, shared);
        Tracer?.Sent(delivery, dup, isWritten);
        if (isWritten && loop.Hooks.SlowSubscriptions is { IsActive: true } slow) (times ??= new DeliveryTimes(slow, client, loop)).Sent(delivery, dup);
        return isWritten;
    }

    private bool Write(in Delivery delivery, bool dup, bool shared)
    {
        var message = delivery.Message;
        var plain = delivery.Qos == Qos.AtMostOnce && aliases is null && delivery.Identifiers.IsEmpty && message.ExpiresAt == 0;
        if (shared && plain && loop.Encoded.Find(message, codec, delivery.Retain, mountpointBytes) is { IsEmpty: false } known && known.Length <= maximumPacketSize)
        {
            known.CopyTo(Reserve(known.Length));
            Written(known.Length);
            CountMessage(message, Qos.AtMostOnce);
            return true;
        }

        var identifiers = delivery.Identifiers;
        var topic = message.Topic.Utf8[mountpointBytes..];
        ushort alias = 0;
        if (aliases is not null) topic = aliases.Use(message.Topic, topic, out alias);
        var packet = new OutboundPublish
        {
            Message = message,
            Topic = topic,
            Qos = delivery.Qos,
            Retain = delivery.Retain,
            Dup = dup,
            PacketIdentifier = delivery.Qos == Qos.AtMostOnce ? (ushort)0 : delivery.PacketIdentifier,
            TopicAlias = alias,
            SubscriptionIdentifiers = SubscriptionIdentifiers.AsSpan(identifiers),
            MessageExpiryInterval = message.ExpiresAt == 0 ? null : message.RemainingExpirySeconds(loop.NowMs),
        };
        var size = codec.Measure(packet);
        if (size > maximumPacketSize)
        {
            aliases?.Undo(message.Topic, alias, topic);
            // An alias takes three bytes that may be the ones too many.
            packet = packet with { TopicAlias = 0, Topic = message.Topic.Utf8[mountpointBytes..] };
            if (alias != 0) size = codec.Measure(packet);
        }

        if (size > maximumPacketSize)
        {
            loop.Hooks.CountDropped(client?.ClientId ?? "", message, Metric.DeliveryDroppedTooLarge);
            return false;
        }

        Write(packet, size, shared && plain);
        CountMessage(message, delivery.Qos);
        return true;
    }

    private void CountMessage(ApplicationMessage message, Qos qos)
    {
        loop.Hooks.TopicMetrics?.Find(message.Topic)?.CountOut(qos);
        traffic.PacketsSent++;
        traffic.MessagesSent++;
        BrokerCounters.Add(Metric.MessagesQos0Sent + (int)qos);
    }

    /// <summary>Hands all that is buffered to the socket.</summary>
    public void Flush()
    {
        flushScheduled = false;
        PushBuffer();
        channel.Flush();
    }

    /// <summary>Closes the channel behind what has been written, or drops that if this process must not flush.</summary>
    public void Close()
    {
        if (channel.Active)
        {
            if (loop.Pulse.IsFresh) Flush();
            _ = channel.CloseAsync();
        }

        Discard();
    }

    /// <summary>Drops what is buffered: the connection has ended.</summary>
    public void Discard()
    {
        buffer?.Release();
        buffer = null;
    }

    private void Write(in OutboundPublish packet, int size, bool remember)
    {
        if (size > EncodedPublish.MaxBytes)
        {
            // A large payload is not copied: its head goes into the buffer, the payload itself behind it.
            var head = size - packet.Message.Payload.Length;
            codec.WriteHead(packet, size, Reserve(head));
            Written(head);
            PushBuffer();
            _ = channel.WriteAsync(Unpooled.WrappedBuffer(packet.Message.Payload));
            traffic.Writes++;
            CountBytes(packet.Message.Payload.Length);
            return;
        }

        var to = Reserve(size)[..size];
        codec.Write(packet, size, to);
        if (remember) loop.Encoded.Remember(packet.Message, codec, packet.Retain, mountpointBytes, to);
        Written(size);
    }

    private Span<byte> Reserve(int size)
    {
        if (buffer is not null && buffer.WritableBytes < size)
        {
            PushBuffer();
            bufferSize = Math.Min(bufferSize * 2, MaxBufferBytes);
        }

        buffer ??= channel.Allocator.HeapBuffer(Math.Max(size, bufferSize));
        return buffer.Array.AsSpan(buffer.ArrayOffset + buffer.WriterIndex, buffer.WritableBytes);
    }

    private void Written(int size)
    {
        buffer!.SetWriterIndex(buffer.WriterIndex + size);
        CountBytes(size);
        if (flushScheduled) return;
        flushScheduled = true;
        loop.FlushSoon(this);
    }

    private void CountBytes(int count)
    {
        traffic.BytesSent += count;
        BrokerCounters.Add(Metric.BytesSent, count);
    }

    private void PushBuffer()
    {
        if (buffer is null) return;
        traffic.Writes++;
        if (buffer.ReadableBytes < BufferBytes) bufferSize = BufferBytes;
        // A failed write closes the channel, which is all there is to learn from its task.
        _ = channel.WriteAsync(buffer);
        buffer = null;
    }

    private static ControlPacket Shortened(ControlPacket packet) => packet switch
    {
        ConnackPacket p => p with { ReasonString = null, UserProperties = [] },
        DisconnectPacket p => p with { ReasonString = null, UserProperties = [] },
        SubackPacket p => p with { ReasonString = null, UserProperties = [] },
        UnsubackPacket p => p with { ReasonString = null, UserProperties = [] },
        _ => packet with { UserProperties = [] },
    };

    /// <summary>A reason string, unless the client asked for none. [MQTT-3.1.2-29]</summary>
    public string? Explain(string? reason) => sendsProblemInformation ? reason : null;
}
