using System.Text;
using Broker.Gateway.Hosting;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Mqtt;

/// <summary>What an accepted client gets and leaves: its CONNACK, its will.</summary>
internal static class Acceptance
{
    /// <summary>The CONNACK, with what a 5.0 client must know of this broker.</summary>
    /// <param name="assignedId">The client identifier, if the client does not know it.</param>
    public static ConnackPacket Make(ConnectPacket connect, ClientInfo client, MqttOptions options, string? assignedId, byte[]? authenticationData)
    {
        var accepted = new ConnackPacket { Code = ReasonCode.Success };
        if (connect.Version != ProtocolVersion.V5) return accepted;
        return accepted with
        {
            SessionExpiryInterval = client.ExpirySeconds != (connect.SessionExpiryInterval ?? 0) ? client.ExpirySeconds : null,
            ReceiveMaximum = options.ReceiveMaximum == ushort.MaxValue ? null : (ushort)options.ReceiveMaximum,
            MaximumQos = options.MaxQos == 2 ? null : options.HighestQos, // [MQTT-3.2.2-9]
            RetainAvailable = options.RetainAvailable,
            MaximumPacketSize = (uint)options.MaxPacketSize,
            AssignedClientIdentifier = assignedId, // [MQTT-3.2.2-16]
            TopicAliasMaximum = (ushort)options.MaxTopicAlias,
            WildcardSubscriptionAvailable = options.WildcardSubscription,
            SubscriptionIdentifiersAvailable = options.SubscriptionIdentifiers,
            SharedSubscriptionAvailable = options.SharedSubscription,
            ServerKeepAlive = client.KeepAlive != connect.KeepAlive ? (ushort)client.KeepAlive : null, // [MQTT-3.2.2-21]
            ResponseInformation = connect.RequestResponseInformation ? options.ResponseInformation : null, // [MQTT-3.1.2-28]
            AuthenticationMethod = connect.AuthenticationMethod,
            AuthenticationData = authenticationData,
        };
    }

    /// <summary>The session expiry interval in effect, in seconds.</summary>
    public static uint ExpirySeconds(ConnectPacket connect, MqttOptions options)
    {
        if (connect.Version != ProtocolVersion.V5) return connect.CleanStart ? 0 : (uint)options.SessionExpiryInterval.TotalSeconds;
        return options.LimitExpiry(connect.SessionExpiryInterval ?? 0);
    }

    /// <summary>The will a client leaves, on its topic behind its mountpoint.</summary>
    /// <param name="delays">Whether `$delayed/…` stands before that.</param>
    public static Will? MakeWill(WillPacket? will, ClientInfo client, string mountpoint, bool delays) => will is null ? null : new Will(
        new ApplicationMessage
        {
            Topic = Mount(will.Topic, mountpoint, delays),
            Payload = will.Payload,
            Qos = will.Qos,
            Retain = will.Retain,
            Properties = will.Properties,
            PublisherId = client.ClientId,
        },
        will.DelaySeconds, will.MessageExpiryInterval);

    private static TopicName Mount(TopicName topic, string mountpoint, bool delays)
    {
        if (mountpoint.Length == 0) return topic;
        var waits = delays && DelayedTopic.Is(topic) ? DelayedTopic.Mount(topic, Encoding.UTF8.GetBytes(mountpoint)) : null;
        return waits ?? TopicName.Parse(mountpoint + topic.Text);
    }
}
