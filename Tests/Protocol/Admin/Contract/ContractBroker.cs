using System.Text.Encodings.Web;
using System.Text.Json;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>The broker that all suites of the HTTP API's contract call: with two listeners, a plugin, an access rule and all modules on.</summary>
public sealed class ContractBroker : BrokerHost
{
    public const string Node = "broker@127.0.0.1";
    private readonly PluginFolder plugins;

    public ContractBroker()
        : this(new PluginFolder())
    {
    }

    private ContractBroker(PluginFolder plugins)
        : base(plugins.Settings(
            ("Listeners:default:Kind", "tcp"), ("Listeners:default:Address", "127.0.0.1"), ("Listeners:default:Port", "0"),
            ("Listeners:web:Kind", "ws"), ("Listeners:web:Address", "127.0.0.1"), ("Listeners:web:Port", "0"),
            ("Modules:TopicMetrics", "true"))) => this.plugins = plugins;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        plugins.Dispose();
    }
}

[CollectionDefinition(Name)]
public sealed class ContractCollection : ICollectionFixture<ContractBroker>
{
    public const string Name = "HTTP API contract";
}

/// <summary>A part of the HTTP API's contract: what a client written for EMQ X 4.x relies on.</summary>
[Collection(ContractCollection.Name)]
public abstract class ContractSuite(ContractBroker broker) : IDisposable
{
    private protected const string Node = ContractBroker.Node;
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private protected ContractBroker Broker { get; } = broker;

    /// <summary>An application on the admin port.</summary>
    private protected ApiClient Api { get; } = new(broker);

    /// <summary>A user on the dashboard's port.</summary>
    private protected ApiClient Dashboard { get; } = ApiClient.OfDashboard(broker);

    public void Dispose()
    {
        Api.Dispose();
        Dashboard.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Calls, and expects exactly this answer.</summary>
    private protected Task ExpectAsync(string answer, string method, string path, string? body = null) => ExpectAsync(Api, answer, method, path, body);

    private protected static async Task ExpectAsync(ApiClient client, string answer, string method, string path, string? body = null) =>
        Assert.Equal(Plain(JsonDocument.Parse(answer).RootElement), Plain(await client.CallAsync(method, path, body)));

    /// <summary>JSON as it is easiest to read, however it was escaped.</summary>
    private protected static string Plain(JsonElement value) => JsonSerializer.Serialize(value, Readable);
}
