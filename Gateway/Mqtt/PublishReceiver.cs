using Broker.Gateway.History;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt.Limits;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Mqtt;

/// <summary>Takes a client's PUBLISH packets: resolves topic and alias, checks, routes, acknowledges in order.</summary>
/// <remarks>On the connection's event loop only.</remarks>
internal sealed class PublishReceiver(Connection connection, ConnectionServices services)
{
    private RoutingQuota? quota = services.Quotas.For(connection);
    private PublisherTopics? topics;
    private ReceiveWindow? window;
    private AcknowledgementQueue? acknowledgements;

    private ReceiveWindow Window => window ??= new ReceiveWindow(connection, connection.Mqtt.ReceiveMaximum);

    private AcknowledgementQueue Acknowledgements => acknowledgements ??= new AcknowledgementQueue(connection, Window);

    public void Receive(in PublishPacket packet)
    {
        connection.Traffic.MessagesReceived++;
        BrokerCounters.Add(Metric.MessagesQos0Received + (int)packet.Qos);
        if (packet.Qos != Qos.AtMostOnce && !Window.TryBegin())
        {
            connection.Disconnect(ReasonCode.ReceiveMaximumExceeded, "receive maximum exceeded");
            return;
        }

        topics ??= new PublisherTopics(
            services.Router, connection.Mountpoint, connection.Mqtt, services.Modules.Rewrite.KeepsPublish ? null : topic => services.Modules.Rewrite.OfPublish(topic, connection.Client!), connection.Client!.UserName);
        if (!topics.TryResolve(packet, out var topic, out var code))
        {
            BrokerCounters.Add(Metric.PacketsPublishError);
            connection.Disconnect(code, "topic or alias not acceptable");
            return;
        }

        connection.Tracer?.Received(packet, topic.Route.Name);
        code = Check(packet, topic);
        if (code >= ReasonCode.UnspecifiedError)
        {
            BrokerCounters.Add(Metric.PacketsPublishError);
            Note(topic.AsWritten, code);
            if (IsFatal(code)) connection.Disconnect(code, "PUBLISH not acceptable");
            else Refuse(packet.Qos, packet.PacketIdentifier, code);
            return;
        }

        // Behind what the alias is learned from, so that a refusal costs this message only.
        if (quota is not null && !MayRoute(packet, quota, topic)) return;
        var route = topic.WhenDelaying is { } delaying && services.Router.Delays ? delaying : topic.Route;
        var message = MakeMessage(packet, route);
        var activity = connection.Loop.Sampler?.Begin(ref message);
        if (connection.Access!.KnowsPublish(topic, connection.Loop.ReadAt) && !services.Hooks.WatchesPublishes) Route(message, route, packet.Qos, packet.PacketIdentifier);
        else Authorize(message, topic, route, packet.PacketIdentifier);
        activity?.Dispose();
    }

    /// <summary>Gives the client another quota than the configured one; null takes that again.</summary>
    public void Limit(Rate? own) => quota = services.Quotas.For(connection, own);

    /// <summary>PUBREL.</summary>
    public void Release(ushort packetIdentifier)
    {
        var session = connection.Session!;
        var pending = session.StoresReceipts ? new PendingAcknowledgement(connection, Window, null, PacketType.Pubcomp, packetIdentifier) : null;
        var known = session.Release(packetIdentifier, pending);
        if (!known) BrokerCounters.Add(Metric.PacketsPubrelMissed);
        if (known && pending is not null) pending.AllKnown();
        else Window.Answer(PacketType.Pubcomp, packetIdentifier, known ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound);
    }

    private ReasonCode Check(in PublishPacket packet, PublisherTopic topic)
    {
        var options = connection.Mqtt;
        if (packet.Qos > options.HighestQos) return ReasonCode.QosNotSupported; // [MQTT-3.2.2-11]
        if (packet.Retain && !options.RetainAvailable) return ReasonCode.RetainNotSupported; // [MQTT-3.2.2-14]
        if (!topic.HasAcceptableLevels) return ReasonCode.TopicNameInvalid;
        return packet.Properties is { IsText: true } && !MqttText.IsUtf8(packet.Payload) ? ReasonCode.PayloadFormatInvalid : ReasonCode.Success;
    }

    /// <summary>Against what CONNACK announced: the client cannot go on. [MQTT-3.2.2-11], [MQTT-3.2.2-14]</summary>
    private static bool IsFatal(ReasonCode code) => code is ReasonCode.QosNotSupported or ReasonCode.RetainNotSupported;

    /// <summary>Takes a message from the quota. Over it QoS 0 is dropped and 5.0 is told. Who cannot be told is not read for a while: 3.x knows only PUBACK, which would call a lost
    /// message safe, and its absence, which would leave the client waiting. So is a repetition, which may have been routed before: a refusal would be a lie.</summary>
    private bool MayRoute(in PublishPacket packet, RoutingQuota limit, PublisherTopic topic)
    {
        if (limit.TryTake()) return true;
        BrokerCounters.Add(Metric.PacketsPublishQuotaExceeded);
        if (packet.Qos == Qos.AtMostOnce)
        {
            Note(topic.AsWritten, ReasonCode.QuotaExceeded);
            BrokerCounters.Add(Metric.PacketsPublishDropped);
            return false;
        }

        if (packet.Dup || !connection.Rules.AnswersRefusedPublish)
        {
            limit.Borrow();
            return true;
        }

        BrokerCounters.Add(Metric.PacketsPublishError);
        Note(topic.AsWritten, ReasonCode.QuotaExceeded);
        Answer(packet.Qos, packet.PacketIdentifier, ReasonCode.QuotaExceeded);
        return false;
    }

    private ApplicationMessage MakeMessage(in PublishPacket packet, TopicRoute route) => new()
    {
        Topic = route.Name,
        Payload = packet.Payload.ToArray(),
        Qos = packet.Qos,
        Retain = packet.Retain,
        Properties = packet.Properties,
        PublisherId = connection.Client!.ClientId,
        ExpiresAt = packet.MessageExpiryInterval is { } seconds ? connection.Loop.NowMs + seconds * 1000L : 0,
        ReceivedAt = connection.Loop.ReadAtMicroseconds,
    };

    private void Authorize(ApplicationMessage message, PublisherTopic topic, TopicRoute route, ushort packetIdentifier) => _ = connection.Reading.RunAsync(async () =>
    {
        if (connection.Access!.KnowsPublish(topic, connection.Loop.ReadAt) || await connection.Access.MayPublishAsync(topic))
        {
            var changed = !services.Hooks.WatchesPublishes ? message : await services.Hooks.PublishingAsync(connection.Access.Context, message);
            Route(changed, changed is null || ReferenceEquals(changed.Topic, message.Topic) ? route : services.Router.RouteOf(changed.Topic), message.Qos, packetIdentifier);
            return;
        }

        BrokerCounters.Add(Metric.PacketsPublishError);
        BrokerCounters.Add(Metric.PacketsPublishAuthError);
        if (services.Authorization.DenialDisconnects)
        {
            connection.Disconnect(ReasonCode.NotAuthorized, "publish not authorized");
            return;
        }

        if (message.Qos == Qos.AtMostOnce) return;
        if (connection.Rules.AcknowledgesDeniedPublish) Answer(message.Qos, packetIdentifier, ReasonCode.Success);
        else Refuse(message.Qos, packetIdentifier, ReasonCode.NotAuthorized);
    });

    /// <summary>Routes a message and answers its publisher.</summary>
    /// <param name="message">Null if it is to go to nobody. Its QoS may be another than that of the packet.</param>
    /// <param name="qos">The packet's.</param>
    private void Route(ApplicationMessage? message, TopicRoute route, Qos qos, ushort packetIdentifier)
    {
        if (connection.IsEnding) return;
        if (route.Delay is { } delay && message is not null && !delay.IsAcceptable(connection.Loop.NowMs))
        {
            Note(route.Name.Text, ReasonCode.TopicNameInvalid);
            RefuseDelay(qos, packetIdentifier);
            return;
        }

        connection.Loop.Congested = null;
        if (qos == Qos.AtMostOnce) Publish(message, route, null);
        else if (qos == Qos.AtLeastOnce) RouteAtLeastOnce(message, route, packetIdentifier);
        else RouteExactlyOnce(message, route, packetIdentifier);
        quota?.Take(route.Match?.DestinationCount ?? 0);
        if (connection.Loop.Congested is { } behind) connection.Reading.WaitFor(behind);
    }

    /// <summary>The time cannot be read, or is too far away. Who cannot be told is told that it was taken, as nothing would make it right.</summary>
    private void RefuseDelay(Qos qos, ushort packetIdentifier)
    {
        BrokerCounters.Add(Metric.PacketsPublishError);
        BrokerCounters.Add(Metric.MessagesDelayedDropped);
        if (qos != Qos.AtMostOnce) Answer(qos, packetIdentifier, connection.Rules.AnswersRefusedPublish ? ReasonCode.TopicNameInvalid : ReasonCode.Success);
    }

    private bool NeedsReceipt(ApplicationMessage? message, TopicRoute route) => message is { Qos: not Qos.AtMostOnce } && services.Router.NeedsReceipt(route, message.Retain);

    private bool Publish(ApplicationMessage? message, TopicRoute route, PublishReceipt? receipt) => message is null || services.Router.Publish(connection.Loop, message, route, receipt);

    private void RouteAtLeastOnce(ApplicationMessage? message, TopicRoute route, ushort packetIdentifier)
    {
        if (!NeedsReceipt(message, route))
        {
            var routed = Publish(message, route, null);
            Answer(Qos.AtLeastOnce, packetIdentifier, routed ? ReasonCode.Success : ReasonCode.NoMatchingSubscribers);
            return;
        }

        var pending = Acknowledgements.Add(PacketType.Puback, packetIdentifier);
        Publish(message, route, pending);
        pending.AllKnown();
    }

    private void RouteExactlyOnce(ApplicationMessage? message, TopicRoute route, ushort packetIdentifier)
    {
        var session = connection.Session!;
        if (!services.Role.IsAlone)
        {
            if (session.StoresReceipts)
            {
                RecordThenRoute(message, route, packetIdentifier);
                return;
            }

            message = message?.From(connection.Loop.NextOrigin());
        }

        var pending = session.StoresReceipts || NeedsReceipt(message, route)
            ? Acknowledgements.Add(PacketType.Pubrec, packetIdentifier)
            : null;
        var routed = true;
        // The identifier and the message's places in queues are stored together: a crash keeps both or neither (promise 1).
        using (session.BeginAtomicWrites())
        {
            switch (session.TryReceive(packetIdentifier, pending, out _))
            {
                case ReceiveOutcome.New:
                    routed = Publish(message, route, message?.Qos == Qos.AtMostOnce ? null : pending);
                    break;
                case ReceiveOutcome.Repeated: // [MQTT-4.3.3-10]
                    BrokerCounters.Add(Metric.PacketsPublishInuse);
                    if (pending is not null) pending.KeepsIdentifier = !connection.Rules.AnswersRefusedPublish;
                    Window.BeginsNothing();
                    break;
                default: // a 3.x client, which cannot be told a receive maximum
                    BrokerCounters.Add(Metric.PacketsPublishDropped);
                    connection.Disconnect(ReasonCode.ReceiveMaximumExceeded, "too many QoS 2 messages without PUBREL");
                    return;
            }
        }

        if (pending is not null) pending.AllKnown();
        else Answer(Qos.ExactlyOnce, packetIdentifier, routed ? ReasonCode.Success : ReasonCode.NoMatchingSubscribers);
    }

    /// <summary>Among several nodes receipt and message cannot be stored together. So the receipt comes first, and numbers the message: should this node die
    /// before PUBREC, the repetition has the same number, and who has had it takes it no more.</summary>
    private void RecordThenRoute(ApplicationMessage? message, TopicRoute route, ushort packetIdentifier)
    {
        // What comes behind one that was refused waits for the next connection too: all come again, in order and under numbers that are still known.
        if (connection.KeepAlive.HasLeftUnanswered) return;
        var pending = Acknowledgements.Add(PacketType.Pubrec, packetIdentifier);
        var recorded = new RecordedPublish(connection);
        var outcome = connection.Session!.TryReceive(packetIdentifier, recorded, out var number);
        if (outcome == ReceiveOutcome.Full)
        {
            BrokerCounters.Add(Metric.PacketsPublishDropped);
            connection.Disconnect(ReasonCode.ReceiveMaximumExceeded, "too many QoS 2 messages without PUBREL");
            return;
        }

        if (outcome == ReceiveOutcome.Repeated) BrokerCounters.Add(Metric.PacketsPublishInuse);
        pending.KeepsIdentifier = !connection.Rules.AnswersRefusedPublish;
        var named = message?.From(MessageOrigin.OfSession(connection.Client!.ClientId, number));
        recorded.Then(code =>
        {
            if (connection.IsEnding) return;
            connection.Loop.Congested = null;
            if (code < ReasonCode.UnspecifiedError) Publish(named, route, named?.Qos == Qos.AtMostOnce ? null : pending);
            pending.Answer(code);
            if (connection.Loop.Congested is { } behind) connection.Reading.WaitFor(behind);
        });
    }

    /// <summary>Remembers why a message went nowhere; what an access rule denies <see cref="Security.Authorization"/> does. Who sends one such message sends many.</summary>
    private void Note(string topic, ReasonCode code)
    {
        var (clientId, reason) = (connection.Client!.ClientId, ReasonOf(code));
        if (services.Recorder.Repeat(clientId, ClientEventKind.PublishDenied, topic, reason)) return;
        services.Recorder.Add(clientId, new ClientEvent(ClientEventKind.PublishDenied, code, ClientEvent.Broker) { Topic = topic, Reason = reason });
    }

    private static string ReasonOf(ReasonCode code) => code switch
    {
        ReasonCode.QosNotSupported => "QoS above Mqtt:MaxQos",
        ReasonCode.RetainNotSupported => "Mqtt:RetainAvailable is off",
        ReasonCode.PayloadFormatInvalid => "the payload is not the text that it is said to be",
        ReasonCode.QuotaExceeded => "routing quota",
        _ => "topic not acceptable",
    };

    private void Refuse(Qos qos, ushort packetIdentifier, ReasonCode code)
    {
        if (qos == Qos.AtMostOnce) return;
        if (connection.Rules.AnswersRefusedPublish) Answer(qos, packetIdentifier, code);
        else connection.Disconnect(code, "PUBLISH not acceptable");
    }

    /// <summary>Acknowledges behind those that still wait: in the order in which the PUBLISH packets came. [MQTT-4.6.0-2], [MQTT-4.6.0-3]</summary>
    private void Answer(Qos qos, ushort packetIdentifier, ReasonCode code)
    {
        var type = qos == Qos.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec;
        if (acknowledgements is null or { IsEmpty: true }) Window.Answer(type, packetIdentifier, code);
        else acknowledgements.Add(type, packetIdentifier, code);
    }
}
