using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Sessions;

/// <summary>Gives a connection its session: a transient one in this gateway, or the durable one of its client.</summary>
internal sealed class SessionOpener(
    IOptions<MqttOptions> mqtt, SessionDefaults defaults, IGrainFactory grains, ILocalSessions local, ClientRegistryLinks registry, ShardLinks shards, MessageRouter router)
{
    private readonly MqttOptions options = mqtt.Value;
    private readonly TransientSubscriptions.Services services = new(shards, router);

    /// <summary>Opens the session of a registered connection.</summary>
    /// <returns>Success and the session, or why there is none.</returns>
    public async ValueTask<(ReasonCode Code, ISession? Session)> OpenAsync(
        Connection connection, ClientInfo client, ConnectPacket connect, Will? will, bool hasStoredSession)
    {
        var limits = LimitsOf(connect);
        // A session that is to end with this connection still resumes what is stored, unless the client starts clean.
        if (client.ExpirySeconds == 0 && (connect.CleanStart || !hasStoredSession))
        {
            if (hasStoredSession)
            {
                var code = await Task.Run(() => GrainOf(client.ClientId).Discard()); // [MQTT-3.1.2-4]
                if (code != ReasonCode.Success) return (code, null);
                BrokerCounters.Add(Metric.SessionDiscarded);
            }

            BrokerCounters.Add(Metric.SessionCreated);
            return (ReasonCode.Success, new TransientSession(client.ClientId, connection.Sender, connection.Loop, limits, services, will, options.UpgradeQos));
        }

        return await OpenDurableAsync(connection, client, connect, will, limits);
    }

    private async ValueTask<(ReasonCode, ISession?)> OpenDurableAsync(
        Connection connection, ClientInfo client, ConnectPacket connect, Will? will, SessionLimits limits)
    {
        var grain = GrainOf(client.ClientId);
        var location = registry.LocationOf(connection.Number);
        var request = new OpenSessionRequest
        {
            Location = location,
            CleanStart = connect.CleanStart,
            ExpirySeconds = client.ExpirySeconds,
            Limits = limits,
            ProtocolVersion = (byte)client.Version,
            UserName = client.UserName,
            Will = will,
            UpgradeQos = options.UpgradeQos,
        };
        // Off the event loop: its scheduler must not run the grain call's continuations.
        var result = await Task.Run(() => grain.Open(request));
        if (result.Code != ReasonCode.Success) return (result.Code, null);
        BrokerCounters.Add(result.SessionPresent ? Metric.SessionResumed : Metric.SessionCreated);
        // The session's grain prefers its client's process; elsewhere it cannot serve this connection yet.
        return local.Find(client.ClientId) is { } here
            ? (ReasonCode.Success, new DurableSessionProxy(here, grain, connection, location, result))
            : (ReasonCode.ServerUnavailable, null);
    }

    private ISessionGrain GrainOf(string clientId) => grains.GetGrain<ISessionGrain>(SessionKey.Of(clientId));

    private SessionLimits LimitsOf(ConnectPacket connect) => defaults.Limits with
    {
        MaxInflight = Math.Min(options.MaxInflight, (int)connect.ReceiveMaximum),
        // A 5.0 client is held to the receive maximum it was told, by its connection.
        MaxAwaitingRelease = connect.Version == ProtocolVersion.V5 ? 0 : options.MaxAwaitingRel,
    };
}
