using System.Text;
using System.Text.Json;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Backup;

/// <summary>A broker that lets in only whom it knows and allows only what its rules allow, and what its clients may do.</summary>
internal sealed class Restored(BrokerHost broker) : IAsyncDisposable
{
    public BrokerHost Broker => broker;

    public ApiClient Api { get; } = new(broker);

    public static async Task<Restored> StartAsync(params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string?> { ["Security:AllowAnonymous"] = "false", ["Security:NoMatch"] = "deny", ["Security:BruteForce:Failures"] = "0" };
        foreach (var (key, value) in settings) all[key] = value;
        return new Restored(await BrokerHost.StartAsync(all));
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await broker.DisposeAsync();
    }

    public async Task<ReasonCode> LogInAsync(string clientId, string? userName, string password)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, userName: userName, password: Encoding.UTF8.GetBytes(password)));
        return (await client.ExpectAsync(PacketType.Connack)).Code;
    }

    /// <summary>Whether a client is allowed to subscribe, and to publish, one after another.</summary>
    public async Task<(bool Subscribe, bool Publish)> MayAsync(string clientId, string? userName, string password, string topic)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, userName: userName, password: Encoding.UTF8.GetBytes(password)));
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.SendAsync(WirePacket.Publish(topic, "x", Qos.AtLeastOnce, 1));
        var published = (await client.ExpectAsync(PacketType.Puback)).Code;
        await client.SendAsync(WirePacket.Subscribe(2, topic));
        return ((await client.ExpectAsync(PacketType.Suback)).Code == ReasonCode.Success, published < ReasonCode.UnspecifiedError);
    }

    /// <summary>Exports, and reads the document.</summary>
    public async Task<JsonElement> ExportAsync()
    {
        var name = (await Api.SucceedAsync("POST", "/data/export")).GetProperty("filename").GetString();
        return JsonDocument.Parse((await Api.CallAsync("GET", $"/data/file/{name}")).GetProperty("file").GetString()!).RootElement;
    }

    /// <summary>The records of a document, as text: table, key and value.</summary>
    public static string[] RecordsOf(JsonElement document) => [.. document.GetProperty("records").EnumerateArray()
        .Select(row => $"{row.GetProperty("table")} {row.GetProperty("key")} {(row.TryGetProperty("value", out var value) ? value : row.GetProperty("base64"))}").Order(StringComparer.Ordinal)];
}
