using Broker.Gateway.Mqtt.Limits;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/clients/{clientid}/…`: what holds for one connection while it lasts, its rates and quota and what is remembered of access rules.</summary>
internal sealed class ClientLimits(ClusterNodes nodes, ClientDirectory clients) : IApiResource
{
    private static readonly string[] RateNames = ["conn_bytes_in", "conn_messages_in"];
    private static readonly string[] QuotaNames = ["conn_messages_routing"];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("POST", "/clients/{clientid}/ratelimit", "set_ratelimit_policy", "Limit what a client may send", call => LimitAsync(call, ClientCommands.LimitRates, RateNames)) { Members = RateNames },
        new("DELETE", "/clients/{clientid}/ratelimit", "clean_ratelimit", "Take that limit back", call => TellAsync(call, ClientCommands.LimitRates)),
        new("POST", "/clients/{clientid}/quota", "set_quota_policy", "Limit what is routed for a client", call => LimitAsync(call, ClientCommands.LimitRouting, QuotaNames)) { Members = QuotaNames },
        new("DELETE", "/clients/{clientid}/quota", "clean_quota", "Take that limit back", call => TellAsync(call, ClientCommands.LimitRouting)),
        new("GET", "/clients/{clientid}/acl_cache", "list_acl_cache", "What is remembered of access rules for a client", ListAsync),
        new("DELETE", "/clients/{clientid}/acl_cache", "clean_acl_cache", "Forget what is remembered for a client", call => TellAsync(call, ClientCommands.ForgetAccess)),
        new("DELETE", "/acl-cache", "clean_acl_cache_all", "Forget what is remembered for all clients", _ => ForgetAsync()) { Sweeps = true },
        new("DELETE", "/nodes/{node}/acl-cache", "clean_acl_cache_node", "Forget what is remembered on a node", call => ForgetAsync(call.Path("node"))) { Sweeps = true },
        new("DELETE", "/node/{node}/acl-cache", "clean_acl_cache_node", "The same, as EMQ X's manual writes it", call => ForgetAsync(call.Path("node"))) { Sweeps = true },
    ];

    private async Task<ApiAnswer> LimitAsync(ApiCall call, string action, string[] names)
    {
        KeyValuePair<string, string>[] limits = [.. names.Select(name => KeyValuePair.Create(name, call.Find(name)!)).Where(one => one.Value is not null)];
        if (limits.Length == 0) return ApiAnswer.Done;
        foreach (var (name, value) in limits)
        {
            if (!Rate.TryParse(value, out _)) return ApiAnswer.Fault(ResultCode.BadParameter, $"{name}: '{value}' is not {Rate.Notation}");
        }

        return await TellAsync(call, action, limits);
    }

    private async Task<ApiAnswer> TellAsync(ApiCall call, string action, params KeyValuePair<string, string>[] arguments)
    {
        if ((await clients.FindAsync(call.Path("clientid"))).Location is not { } location) return ApiAnswer.Fault(ResultCode.NotFound, "not_found");
        return await clients.DoAsync(location, action, arguments) switch
        {
            null => ApiAnswer.Unanswered,
            { Count: 0 } => ApiAnswer.Fault(ResultCode.NotFound, "not_found"),
            _ => ApiAnswer.Done,
        };
    }

    private async Task<ApiAnswer> ListAsync(ApiCall call)
    {
        if ((await clients.FindNowAsync(call.Path("clientid"))).Location is not { } location) return ApiAnswer.Fault(ResultCode.NotFound, "not_found");
        var page = await clients.ReadAsync(location, NodeResources.AccessCache);
        return page is null ? ApiAnswer.Unanswered : ApiAnswer.Rows(page.Rows);
    }

    private async Task<ApiAnswer> ForgetAsync(string? node = null)
    {
        var command = new NodeCommand(NodeResources.AccessCache, "clean", "", []);
        if (node is not null)
        {
            var (result, isKnown) = await nodes.DoOneAsync(node, command);
            return !isKnown ? ApiAnswer.NotFound : result is null ? ApiAnswer.Unanswered : ApiAnswer.Done;
        }

        var (_, unavailable) = await nodes.DoAllAsync(command);
        return unavailable.Length > 0 ? ApiAnswer.Unanswered : ApiAnswer.Done;
    }
}
