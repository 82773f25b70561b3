using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Clients;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Alarms;

/// <summary>`conn_congestion/CLIENT/USER`: a connected client whose socket takes nothing, although more than the high watermark waits for it.</summary>
/// <remarks>Looks at every connection each time: off unless asked for.</remarks>
internal sealed class CongestionCheck(AlarmBook book, ConnectionTable connections, IOptions<AlarmOptions> options, TimeProvider time) : IAlarmCheck
{
    private readonly TimeSpan sustain = options.Value.CongestionSustain;
    private readonly Dictionary<ulong, Watched> watched = [];

    private sealed class Watched
    {
        /// <summary>Since when it has been as it is.</summary>
        public long Since { get; set; }

        public bool IsCongested { get; set; }

        /// <summary>Its alarm; null while there is none.</summary>
        public string? Alarm { get; set; }
    }

    public TimeSpan Period => options.Value.CheckInterval < sustain ? options.Value.CheckInterval : sustain;

    public Task LookAsync()
    {
        var now = time.GetTimestamp();
        foreach (var connection in connections.Enumerate())
        {
            if (connection is not { Phase: ConnectionPhase.Connected, Client: { } client }) continue;
            var isCongested = !connection.Sender.IsWritable;
            if (!watched.TryGetValue(connection.Number, out var one))
            {
                if (!isCongested) continue;
                watched[connection.Number] = one = new Watched();
            }

            if (one.Since == 0 || one.IsCongested != isCongested) (one.Since, one.IsCongested) = (now, isCongested);
            if (time.GetElapsedTime(one.Since, now) < sustain) continue;
            if (isCongested && one.Alarm is null) one.Alarm = Activate(connection, client);
            else if (!isCongested) End(connection.Number, one);
        }

        foreach (var (number, one) in watched.ToArray())
        {
            if (connections.Find(number) is not { Phase: ConnectionPhase.Connected }) End(number, one);
        }

        return Task.CompletedTask;
    }

    private void End(ulong number, Watched one)
    {
        watched.Remove(number);
        if (one.Alarm is { } name) book.Deactivate(name);
    }

    private string Activate(Connection connection, ClientInfo client)
    {
        var name = $"conn_congestion/{client.ClientId}/{client.UserName ?? "unknown_user"}";
        var (traffic, peer) = (connection.Traffic, client.RemoteAddress as IPEndPoint);
        book.Activate(name, $"connection congested: {client.ClientId} takes no bytes for {sustain.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s", new JsonObject
        {
            ["clientid"] = client.ClientId,
            ["username"] = client.UserName ?? ClientRow.Undefined,
            ["peername"] = peer is null ? ClientRow.Undefined : $"{Placeholders.AddressOf(client)}:{peer.Port}",
            ["sockname"] = $"{client.Listener}:{client.ListenerPort}",
            ["proto_name"] = ClientRow.ProtocolNameOf((int)client.Version),
            ["proto_ver"] = (int)client.Version,
            ["connected_at"] = client.ConnectedAt.ToUnixTimeMilliseconds(),
            ["conn_state"] = "connected",
            ["recv_oct"] = traffic.BytesReceived,
            ["recv_cnt"] = traffic.Reads,
            ["send_oct"] = traffic.BytesSent,
            ["send_cnt"] = traffic.Writes,
            ["message_queue_len"] = connection.Session?.Counts.Queued ?? 0,
        });
        return name;
    }
}
