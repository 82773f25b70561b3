using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Gateway.Modules;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>A slow subscription as EMQ X 4.4's HTTP API shows it.</summary>
internal sealed record SlowSubscriptionRow([property: JsonPropertyName("clientid")] string ClientId, string Node, string Topic, long Timespan, long LastUpdateTime);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SlowSubscriptionRow))]
internal sealed partial class SlowSubscriptionJson : JsonSerializerContext;

/// <summary>The slowest of this process.</summary>
internal sealed class LocalSlowSubscriptions(SlowSubscriptions slow) : INodeResource
{
    public const string Name = "slow_subscriptions", Clear = "clear";

    public string Resource => Name;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query) => ValueTask.FromResult(NodePages.Select(
        node, query, slow.Read(), one => new SlowSubscriptionRow(one.ClientId, node, one.Topic, one.Milliseconds, one.UpdatedAt), SlowSubscriptionJson.Default.SlowSubscriptionRow));

    public Task<NodeResult> DoAsync(string node, NodeCommand command) => Task.FromResult(new NodeResult(node, slow.Clear()));
}

/// <summary>`/slow_subscriptions`: the slowest of all nodes together.</summary>
internal sealed class SlowSubscriptionResource(ClusterNodes nodes, Modules.Modules modules, SlowSubscriptions slow) : IApiResource
{
    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/slow_subscriptions", "get_history", "The slowest subscriptions", _ => WhenOn(ListAsync)),
        new("DELETE", "/slow_subscriptions", "clear_history", "Forget the slowest subscriptions", _ => WhenOn(ClearAsync)) { Sweeps = true },
    ];

    private Task<ApiAnswer> WhenOn(Func<Task<ApiAnswer>> act) => modules.IsActive(Modules.Modules.SlowSubscriptions) ? act() : Task.FromResult(ApiAnswer.Fault("module_not_loaded"));

    private async Task<ApiAnswer> ListAsync()
    {
        var answers = await nodes.ReadAllAsync(new NodeQuery(LocalSlowSubscriptions.Name, []));
        return ApiAnswer.Rows(answers.Pages.SelectMany(page => page.Rows).OrderByDescending(TimespanOf).Take(slow.TopCount), answers.Unavailable);
    }

    private async Task<ApiAnswer> ClearAsync()
    {
        var (_, unavailable) = await nodes.DoAllAsync(new NodeCommand(LocalSlowSubscriptions.Name, LocalSlowSubscriptions.Clear, "", []));
        return unavailable.Length > 0 ? ApiAnswer.Fault(ResultCode.NodeFailed, $"{string.Join(", ", unavailable)} does not answer") : ApiAnswer.Done;
    }

    private static long TimespanOf(byte[] row)
    {
        using var json = JsonDocument.Parse(row);
        return json.RootElement.GetProperty("timespan").GetInt64();
    }
}
