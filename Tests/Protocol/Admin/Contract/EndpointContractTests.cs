using System.Net;
using Broker.Silo.Health;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>Which endpoints there are, on which port, and how what is none is answered.</summary>
public sealed class EndpointContractTests(ContractBroker broker) : ContractSuite(broker)
{
    /// <summary>Method, path and EMQ X's name.</summary>
    private const string Endpoints = """
        GET /brokers list_brokers
        GET /brokers/:node get_broker
        GET /nodes list_nodes
        GET /nodes/:node get_node
        GET /clients list_clients
        GET /nodes/:node/clients list_node_clients
        GET /clients/:clientid lookup_client
        GET /nodes/:node/clients/:clientid lookup_node_client
        GET /clients/username/:username lookup_client_via_username
        GET /nodes/:node/clients/username/:username lookup_node_client_via_username
        DELETE /clients/:clientid kickout_client
        DELETE /nodes/:node/clients/:clientid kickout_client
        GET /clients/:clientid/acl_cache list_acl_cache
        DELETE /clients/:clientid/acl_cache clean_acl_cache
        POST /clients/:clientid/ratelimit set_ratelimit_policy
        DELETE /clients/:clientid/ratelimit clean_ratelimit
        POST /clients/:clientid/quota set_quota_policy
        DELETE /clients/:clientid/quota clean_quota
        DELETE /acl-cache clean_acl_cache_all
        DELETE /nodes/:node/acl-cache clean_acl_cache_node
        DELETE /node/:node/acl-cache clean_acl_cache_node
        GET /subscriptions list_subscriptions
        GET /nodes/:node/subscriptions list_node_subscriptions
        GET /subscriptions/:clientid lookup_client_subscriptions
        GET /nodes/:node/subscriptions/:clientid lookup_client_subscriptions_with_node
        GET /routes list_routes
        GET /routes/:topic lookup_routes
        POST /mqtt/publish mqtt_publish
        POST /mqtt/subscribe mqtt_subscribe
        POST /mqtt/unsubscribe mqtt_unsubscribe
        POST /mqtt/publish_batch mqtt_publish_batch
        POST /mqtt/subscribe_batch mqtt_subscribe_batch
        POST /mqtt/unsubscribe_batch mqtt_unsubscribe_batch
        GET /plugins list_all_plugins
        GET /nodes/:node/plugins list_node_plugins
        PUT /nodes/:node/plugins/:plugin/load load_node_plugin
        PUT /nodes/:node/plugins/:plugin/unload unload_node_plugin
        PUT /nodes/:node/plugins/:plugin/reload reload_node_plugin
        PUT /plugins/:plugin/unload unload_plugin
        PUT /plugins/:plugin/reload reload_plugin
        GET /listeners list_listeners
        GET /nodes/:node/listeners list_node_listeners
        PUT /listeners/:identifier/restart restart_listener
        PUT /nodes/:node/listeners/:identifier/restart restart_node_listener
        GET /modules list_all_modules
        GET /nodes/:node/modules list_node_modules
        PUT /modules/:module/load load_module
        PUT /modules/:module/unload unload_module
        PUT /modules/:module/reload reload_module
        PUT /nodes/:node/modules/:module/load load_node_module
        PUT /nodes/:node/modules/:module/unload unload_node_module
        PUT /nodes/:node/modules/:module/reload reload_node_module
        GET /metrics list_all_metrics
        GET /nodes/:node/metrics list_node_metrics
        GET /stats list_stats
        GET /nodes/:node/stats lookup_node_stats
        GET /topic-metrics list_all_topic_metrics
        POST /topic-metrics register_topic_metrics
        DELETE /topic-metrics unregister_all_topic_metrics
        GET /topic-metrics/:topic list_topic_metrics
        DELETE /topic-metrics/:topic unregister_topic_metrics
        GET /banned list_banned
        POST /banned create_banned
        DELETE /banned/:as/:who delete_banned
        POST /data/export export
        GET /data/export list_exported
        POST /data/import import
        GET /data/file/:filename download
        DELETE /data/file/:filename delete
        POST /data/file upload
        POST /apps add_app
        GET /apps list_apps
        GET /apps/:appid lookup_app
        PUT /apps/:appid update_app
        DELETE /apps/:appid del_app
        GET /auth_clientid list_clientid
        POST /auth_clientid add_clientid
        GET /auth_clientid/:clientid lookup_clientid
        PUT /auth_clientid/:clientid update_clientid
        DELETE /auth_clientid/:clientid delete_clientid
        GET /auth_username list_username
        POST /auth_username add_username
        GET /auth_username/:username lookup_username
        PUT /auth_username/:username update_username
        DELETE /auth_username/:username delete_username
        GET /auth_user list_user
        POST /auth_user add_user
        GET /auth_user/:login lookup_user
        PUT /auth_user/:login update_user
        DELETE /auth_user/:login delete_user
        GET /mqtt_user list_user
        POST /mqtt_user add_user
        GET /mqtt_user/:login lookup_user
        PUT /mqtt_user/:login update_user
        DELETE /mqtt_user/:login delete_user
        GET /acl/clientid list_clientid_acl
        GET /acl/username list_username_acl
        GET /acl/$all list_all_acl
        GET /acl/clientid/:clientid lookup_clientid_acl
        GET /acl/username/:username lookup_username_acl
        POST /acl create_acl
        DELETE /acl/clientid/:clientid/topic/:topic delete_clientid_acl
        DELETE /acl/username/:username/topic/:topic delete_username_acl
        DELETE /acl/$all/topic/:topic delete_all_acl
        GET /emqx_acl list_acl
        POST /emqx_acl add_acl
        GET /emqx_acl/:login lookup_acl
        DELETE /emqx_acl/:login/:topic delete_acl
        GET /mqtt_acl list_acl
        POST /mqtt_acl add_acl
        GET /mqtt_acl/:login lookup_acl
        DELETE /mqtt_acl/:login/:topic delete_acl
        GET /sasl get
        POST /sasl add
        PUT /sasl update
        DELETE /sasl delete
        GET /emqx_prometheus emqx_prometheus
        PUT /telemetry/status enable_telemetry
        GET /telemetry/status get_telemetry_status
        GET /telemetry/data get_telemetry_data
        POST /auth auth_user
        POST /users create_user
        GET /users list_users
        PUT /users/:name update_user
        DELETE /users/:name delete_user
        PUT /change_pwd/:username change_pwd
        """;

    [Fact]
    public async Task EveryEndpointIsListed()
    {
        var data = await Api.SucceedAsync("GET", "");
        foreach (var one in data.EnumerateArray()) Shape.Check("path:string name:string method:string descr:string", one);
        var listed = data.EnumerateArray().Select(one => $"{one.GetProperty("method")} {one.GetProperty("path")} {one.GetProperty("name")}").ToHashSet();
        Assert.DoesNotContain(Endpoints.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => !listed.Contains(line.Trim()));
        Assert.Equal(data.GetRawText(), (await Dashboard.SucceedAsync("GET", "/")).GetRawText());
    }

    [Theory]
    [InlineData("/apps")]
    [InlineData("/apps/admin")]
    [InlineData("/users")]
    public async Task ApplicationsAndUsersAreManagedOnTheDashboardsPortAlone(string path)
    {
        Assert.Equal((HttpStatusCode.NotFound, "text/plain", "Not found."), await Api.SendAsync("GET", path));
        await Dashboard.SucceedAsync("GET", path);
    }

    [Theory]
    [InlineData("/brokers")]
    [InlineData("/brokers/broker@127.0.0.1")]
    [InlineData("/brokers/broker%40127.0.0.1")]
    [InlineData("/nodes")]
    [InlineData("/nodes/broker@127.0.0.1")]
    [InlineData("/clients")]
    [InlineData("/clients/nobody")]
    [InlineData("/clients/username/nobody")]
    [InlineData("/nodes/broker@127.0.0.1/clients")]
    [InlineData("/nodes/broker@127.0.0.1/clients/nobody")]
    [InlineData("/nodes/broker@127.0.0.1/clients/username/nobody")]
    [InlineData("/subscriptions")]
    [InlineData("/subscriptions/nobody")]
    [InlineData("/nodes/broker@127.0.0.1/subscriptions")]
    [InlineData("/nodes/broker@127.0.0.1/subscriptions/nobody")]
    [InlineData("/routes")]
    [InlineData("/routes/none")]
    [InlineData("/plugins")]
    [InlineData("/nodes/broker@127.0.0.1/plugins")]
    [InlineData("/listeners")]
    [InlineData("/nodes/broker@127.0.0.1/listeners")]
    [InlineData("/modules")]
    [InlineData("/nodes/broker@127.0.0.1/modules")]
    [InlineData("/metrics")]
    [InlineData("/nodes/broker@127.0.0.1/metrics")]
    [InlineData("/stats")]
    [InlineData("/nodes/broker@127.0.0.1/stats")]
    [InlineData("/topic-metrics")]
    [InlineData("/topic-metrics/none")]
    [InlineData("/banned")]
    [InlineData("/data/export")]
    [InlineData("/auth_clientid")]
    [InlineData("/auth_clientid/nobody")]
    [InlineData("/auth_username")]
    [InlineData("/auth_username/nobody")]
    [InlineData("/auth_user")]
    [InlineData("/auth_user/nobody")]
    [InlineData("/mqtt_user")]
    [InlineData("/mqtt_user/nobody")]
    [InlineData("/acl/clientid")]
    [InlineData("/acl/username")]
    [InlineData("/acl/$all")]
    [InlineData("/acl/clientid/nobody")]
    [InlineData("/acl/username/nobody")]
    [InlineData("/emqx_acl")]
    [InlineData("/emqx_acl/nobody")]
    [InlineData("/mqtt_acl")]
    [InlineData("/mqtt_acl/nobody")]
    [InlineData("/sasl")]
    [InlineData("/telemetry/status")]
    [InlineData("/telemetry/data")]
    [InlineData("/emqx_prometheus")]
    public async Task BothPortsAnswer_WithAndWithoutASlashAtTheEnd(string path)
    {
        foreach (var port in new[] { Api, Dashboard })
        {
            Assert.NotEqual(default, (await port.SucceedAsync("GET", path)).ValueKind);
            Assert.NotEqual(default, (await port.SucceedAsync("GET", path + "/")).ValueKind);
        }
    }

    [Theory]
    [InlineData("GET", "/nothing")]
    [InlineData("GET", "/clients/a/b/c")]
    [InlineData("POST", "/clients")]
    [InlineData("DELETE", "/nodes")]
    [InlineData("PUT", "/plugins/none/load")]
    [InlineData("GET", "/brokers/nobody@127.0.0.1")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1/clients")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1/clients/x")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1/clients/username/x")]
    [InlineData("DELETE", "/nodes/nobody@127.0.0.1/clients/x")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1/subscriptions")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1/subscriptions/x")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1/plugins")]
    [InlineData("PUT", "/nodes/nobody@127.0.0.1/plugins/x/load")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1/listeners")]
    [InlineData("PUT", "/nodes/nobody@127.0.0.1/listeners/mqtt:tcp:default/restart")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1/modules")]
    [InlineData("PUT", "/nodes/nobody@127.0.0.1/modules/emqx_mod_presence/load")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1/metrics")]
    [InlineData("GET", "/nodes/nobody@127.0.0.1/stats")]
    [InlineData("DELETE", "/nodes/nobody@127.0.0.1/acl-cache")]
    public async Task AnswerIs404_WhenThereIsNoSuchThing(string method, string path) => Assert.Equal((HttpStatusCode.NotFound, "text/plain", "Not found."), await Api.SendAsync(method, path));

    [Theory]
    [InlineData("POST", "/mqtt/publish", "{\"topic\":")]
    [InlineData("POST", "/banned", "who")]
    [InlineData("PUT", "/auth_username/x", "{\"password\":\"x\"")]
    [InlineData("POST", "/data/import", "[")]
    [InlineData("POST", "/mqtt/publish", """{"topic":"t","payload":"\ud800"}""")] // half a character: it can be parsed, but not read
    [InlineData("POST", "/mqtt/publish_batch", """[{"topic":"t"},{"topic":"\ud800"}]""")]
    [InlineData("POST", "/banned", """{"who":"x","as":"clientid","\udc00":1}""")]
    [InlineData("POST", "", "{}")]
    [InlineData("PUT", "", null)]
    public async Task AnswerIs400_WhenTheCallCannotBeRead(string method, string path, string? body) =>
        Assert.Equal((HttpStatusCode.BadRequest, "text/plain", "Bad Request"), await Api.SendAsync(method, path, body));

    [Fact]
    public async Task AnswerIs400_WhenTheVersionIsUnknown()
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{Broker.Services.GetRequiredService<AdminServer>().Port}/api/v3/clients"));
        Assert.Equal((HttpStatusCode.BadRequest, "Not found."), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData("/clients?_page=0")]
    [InlineData("/clients?_page=x")]
    [InlineData("/subscriptions?_limit=-1")]
    [InlineData("/routes?_limit=0")]
    [InlineData("/banned?_page=x")]
    [InlineData("/auth_username?_page=x")]
    [InlineData("/acl/username?_limit=x")]
    public async Task PageIsRefused_WhenItIsNone(string path) => Assert.Equal(108, (await Api.CallAsync("GET", path)).GetProperty("code").GetInt32());
}
