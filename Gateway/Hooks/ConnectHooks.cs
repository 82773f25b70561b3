using Broker.Gateway.Hosting;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Plugins;

namespace Broker.Gateway.Hooks;

/// <summary>What hooks say of CONNECT and CONNACK.</summary>
internal static class ConnectHooks
{
    /// <summary>`client.connect`: what the client asks for, as callbacks leave it.</summary>
    public static async ValueTask<(ConnectPacket Connect, ClientInfo Client)> ReadAsync(BrokerHooks hooks, ConnectPacket connect, ClientInfo client, MqttOptions options)
    {
        var asked = new ConnectProperties
        {
            SessionExpiryInterval = connect.SessionExpiryInterval,
            ReceiveMaximum = connect.ReceiveMaximum,
            MaximumPacketSize = connect.MaximumPacketSize,
            TopicAliasMaximum = connect.TopicAliasMaximum,
            UserProperties = connect.UserProperties,
        };
        var wanted = await hooks.ClientConnect.RunAsync(client.ToContext(), asked);
        if (wanted == asked) return (connect, client);
        connect = connect with
        {
            SessionExpiryInterval = wanted.SessionExpiryInterval,
            ReceiveMaximum = Math.Max((ushort)1, wanted.ReceiveMaximum),
            MaximumPacketSize = wanted.MaximumPacketSize,
            TopicAliasMaximum = wanted.TopicAliasMaximum,
            UserProperties = wanted.UserProperties,
        };
        return (connect, client with { ExpirySeconds = Acceptance.ExpirySeconds(connect, options) });
    }

    /// <summary>`client.connack`: the packet as callbacks leave it.</summary>
    public static ConnackPacket Write(BrokerHooks hooks, ClientInfo client, ConnackPacket packet)
    {
        if (hooks.ClientConnack.IsEmpty) return packet;
        var wanted = hooks.ClientConnack.Run(new ConnackContext(client.ToContext(), packet.Code), new ConnackProperties
        {
            ReasonString = packet.ReasonString,
            ResponseInformation = packet.ResponseInformation,
            ServerReference = packet.ServerReference,
            UserProperties = packet.UserProperties,
        });
        return packet with
        {
            ReasonString = wanted.ReasonString,
            ResponseInformation = wanted.ResponseInformation,
            ServerReference = wanted.ServerReference,
            UserProperties = wanted.UserProperties,
        };
    }

    /// <inheritdoc cref="Write(BrokerHooks,ClientInfo,ConnackPacket)"/>
    public static ProtocolReply Write(BrokerHooks hooks, ClientInfo client, in ProtocolReply reply) =>
        reply.Answer is ConnackPacket packet ? reply with { Answer = Write(hooks, client, packet) } : reply;

    /// <summary>`session.created` or `session.resumed`.</summary>
    public static void Opened(BrokerHooks hooks, ClientInfo client, bool isResumed)
    {
        var point = isResumed ? hooks.SessionResumed : hooks.SessionCreated;
        if (!point.IsEmpty) point.Raise(new SessionEvent(client.ClientId, client.ToContext()));
    }
}
