using System.Net;
using System.Text;
using System.Text.Json;
using Broker.Gateway.Links;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Modules;

/// <summary>Publishes `$SYS/brokers/NODE/clients/ID/connected` and `…/disconnected`, in EMQ X 4.x's form.</summary>
internal sealed class Presence(Modules modules, MessageRouter router, GatewayLoops loops, NodeIdentity self, IOptionsMonitor<ModuleOptions> options, TimeProvider time) : IClientObserver
{
    private readonly Module module = modules.Find(Modules.Presence)!;

    public void Connected(ClientInfo client) => Publish(client, "connected", json =>
    {
        json.WriteNumber("connack", 0);
        json.WriteNumber("keepalive", client.KeepAlive);
        json.WriteBoolean("clean_start", client.CleanStart);
        json.WriteNumber("expiry_interval", client.ExpirySeconds);
    });

    public void Refused(ClientInfo client, ReasonCode code, string reason)
    {
        // It was never there.
    }

    public void Disconnected(ClientInfo client, string reason) => Publish(client, "disconnected", json =>
    {
        json.WriteString("reason", reason);
        json.WriteNumber("disconnected_at", time.GetUtcNow().ToUnixTimeMilliseconds());
    });

    private void Publish(ClientInfo client, string what, Action<Utf8JsonWriter> write)
    {
        // A client identifier with a wildcard makes no topic.
        if (!modules.IsActive(module) || !TopicName.TryParse(Encoding.UTF8.GetBytes($"$SYS/brokers/{self.Name}/clients/{client.ClientId}/{what}"), out var topic)) return;
        var loop = loops.All[0];
        loop.Run(() => router.PublishSystem(loop, new ApplicationMessage { Topic = topic, Qos = (Qos)options.CurrentValue.PresenceQos, Payload = Describe(client, write) }));
    }

    private byte[] Describe(ClientInfo client, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            var from = client.RemoteAddress as IPEndPoint;
            json.WriteStartObject();
            json.WriteString("clientid", client.ClientId);
            json.WriteString("username", client.UserName ?? ClientRow.Undefined);
            json.WriteString("ipaddress", from is null ? ClientRow.Undefined : (from.Address.IsIPv4MappedToIPv6 ? from.Address.MapToIPv4() : from.Address).ToString());
            json.WriteNumber("sockport", client.ListenerPort);
            json.WriteString("proto_name", ClientRow.ProtocolNameOf((int)client.Version));
            json.WriteNumber("proto_ver", (int)client.Version);
            json.WriteNumber("connected_at", client.ConnectedAt.ToUnixTimeMilliseconds());
            json.WriteNumber("ts", time.GetUtcNow().ToUnixTimeMilliseconds());
            write(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
