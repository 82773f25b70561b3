using System.Text;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;
using WirePacket = Broker.Tests.Protocol.Harness.WirePacket;

namespace Broker.Tests.Cluster.Sources;

/// <summary>Brokers that ask a source, and their clients.</summary>
internal static class SourceBroker
{
    /// <summary>Starts a broker that refuses strangers.</summary>
    /// <param name="section">The source's settings.</param>
    /// <param name="settings">Keys in that section, or whole ones that begin with `Security:`.</param>
    public static Task<BrokerHost> OpenAsync(string section, params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string?> { ["Security:AllowAnonymous"] = "false", ["Security:BruteForce:Failures"] = "0" };
        foreach (var (key, value) in settings) all[key.StartsWith("Security:", StringComparison.Ordinal) ? key : $"{section}:{key}"] = value;
        return BrokerHost.StartAsync(all);
    }

    public static async Task<ReasonCode> ConnectAsync(BrokerHost broker, string? user, string? password, string clientId = "")
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, userName: user, password: password is null ? null : Encoding.UTF8.GetBytes(password)));
        return (await client.ExpectAsync(PacketType.Connack)).Code;
    }

    public static async Task<RawClient> LogInAsync(BrokerHost broker, string clientId, string user, string password)
    {
        var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, userName: user, password: Encoding.UTF8.GetBytes(password)));
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Connack)).Code);
        return client;
    }

    /// <summary>Whether a connected client may subscribe; and publish, as QoS 1.</summary>
    public static async Task<(bool Subscribe, bool Publish)> MayAsync(RawClient client, string topic)
    {
        await client.SendAsync(WirePacket.Subscribe(1, topic));
        var subscribe = (await client.ExpectAcknowledgementAsync(PacketType.Suback)).Code != ReasonCode.NotAuthorized;
        await client.SendAsync(WirePacket.Unsubscribe(2, [topic]));
        await client.ExpectAsync(PacketType.Unsuback);
        await client.SendAsync(WirePacket.Publish(topic, "x", Qos.AtLeastOnce, 3));
        return (subscribe, (await client.ExpectAcknowledgementAsync(PacketType.Puback)).Code != ReasonCode.NotAuthorized);
    }
}
