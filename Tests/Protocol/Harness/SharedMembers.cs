using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Tests.Protocol.Harness;

/// <summary>The members of a shared subscription.</summary>
internal static class SharedMembers
{
    /// <summary>Clients `name-0`, `name-1` and so on, each subscribed to the filter at QoS 1.</summary>
    /// <param name="durable">For each client, whether its session outlives the connection; null: none does.</param>
    /// <param name="window">The receive maximum of each.</param>
    public static async Task<List<RawClient>> ConnectAsync(BrokerHost broker, string name, string filter, int count, bool[]? durable = null, int window = 32)
    {
        var members = new List<RawClient>();
        for (var i = 0; i < count; i++)
        {
            var member = await RawClient.ConnectAsync(broker, $"{name}-{i}", expiry: durable?[i] == true ? 60u : null, properties: Window(window));
            await member.SubscribeAsync(filter, Qos.AtLeastOnce);
            members.Add(member);
        }

        return members;
    }

    public static WireProperties Window(int size) => new WireProperties().Add(PropertyId.ReceiveMaximum, (ushort)size);

    public static async Task DisposeAsync(IEnumerable<RawClient> clients)
    {
        foreach (var client in clients) await client.DisposeAsync();
    }
}
