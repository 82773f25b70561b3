using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Sessions;

/// <summary>Gives a connection its session: a transient one in this gateway, or the durable one of its client.</summary>
internal sealed class SessionOpener(
    NodeRole role, IGrainFactory grains, DurableSessions durable, ClientRegistryLinks registry, ShardLinks shards,
    MessageRouter router, BrokerGauges gauges,
    IWillKeeper wills)
{
    /// <summary>A session whose new home goes away while it moves is asked for again.</summary>
    private const int MaxMoves = 3;

    private readonly TransientSubscriptions.Services services = new(shards, router, gauges);

    /// <summary>Opens the session of a registered connection.</summary>
    /// <returns>Success and the session, or why there is none.</returns>
    public async ValueTask<(ReasonCode Code, ISession? Session)> OpenAsync(
        Connection connection, ClientInfo client, ConnectPacket connect, Will? will, bool hasStoredSession)
    {
        var limits = LimitsOf(connect, connection.Mqtt);
        // A session that is to end with this connection still resumes what is stored, unless the client starts clean.
        if (client.ExpirySeconds == 0 && (connect.CleanStart || !hasStoredSession))
        {
            if (hasStoredSession)
            {
                var code = await GrainCalls.InsistAsync(() => GrainOf(client.ClientId).Discard(), connection.Loop.Time); // [MQTT-3.1.2-4]
                if (code != ReasonCode.Success) return (code, null);
            }

            // Off the event loop, as with grains. A store that fails does not keep clients out: their wills are then this process's alone.
            if (will is not null) await Task.Run(() => wills.SaveAsync(client.ClientId, connection.Number, will));
            BrokerCounters.Add(Metric.SessionCreated);
            return (ReasonCode.Success, new TransientSession(client.ClientId, connection.Sender, connection.Loop, limits, services, will is null ? null : new KeptWill(will, wills, connection.Number), connection.Mqtt.UpgradeQos));
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
            UpgradeQos = connection.Mqtt.UpgradeQos,
            MayMove = role.HostsGrains,
            NeedsFilters = connection.Mqtt.MaxSubscriptions > 0,
        };
        var result = await OpenAsync(grain, request, connection.Loop.Time);
        if (result.Code != ReasonCode.Success) return (result.Code, null);
        BrokerCounters.Add(result.SessionPresent ? Metric.SessionResumed : Metric.SessionCreated);
        return durable.Reach(connection, location, client.ClientId, grain, result, limits) is { } session
            ? (ReasonCode.Success, session)
            : (ReasonCode.ServerUnavailable, null);
    }

    /// <summary>Opens the session. One that lives elsewhere comes here first.</summary>
    private static async Task<OpenSessionResult> OpenAsync(ISessionGrain grain, OpenSessionRequest request, TimeProvider time)
    {
        for (var move = 0; ; move++)
        {
            // The last time it is taken where it is.
            var asked = request with { MayMove = request.MayMove && move < MaxMoves };
            var result = await GrainCalls.InsistAsync(() => grain.Open(asked), time);
            if (result.Code != ReasonCode.ServerMoved) return result;
            BrokerActivities.SessionMoves();
        }
    }

    private ISessionGrain GrainOf(string clientId) => grains.GetGrain<ISessionGrain>(SessionKey.Of(clientId));

    private static SessionLimits LimitsOf(ConnectPacket connect, MqttOptions options) => options.Defaults.Limits with
    {
        MaxInflight = Math.Min(options.MaxInflight, (int)connect.ReceiveMaximum),
        // A 5.0 client is held to the receive maximum it was told, by its connection.
        MaxAwaitingRelease = connect.Version == ProtocolVersion.V5 ? 0 : options.MaxAwaitingRel,
    };
}
