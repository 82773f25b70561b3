using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>`/clients` and what is below it.</summary>
public sealed class ClientContractTests(ContractBroker broker) : ContractSuite(broker)
{
    private const string Members =
        "node:string clientid:string username:string mountpoint:string proto_name:string proto_ver:int ip_address:string port:int is_bridge:bool connected:bool connected_at:time "
        + "disconnected_at?:time created_at:time zone:string keepalive:int clean_start:bool expiry_interval:int subscriptions_cnt:int max_subscriptions:int inflight:int max_inflight:int "
        + "mqueue_len:int max_mqueue:int mqueue_dropped:int awaiting_rel:int max_awaiting_rel:int recv_oct:int recv_cnt:int recv_pkt:int recv_msg:int send_oct:int send_cnt:int send_pkt:int "
        + "send_msg:int mailbox_len:int heap_size:int reductions:int";

    [Fact]
    public async Task ClientHasAllFields_ConnectedOrNot()
    {
        await using var here = await RawClient.ConnectAsync(Broker, "fields/1 ä", level: 4, keepAlive: 30);
        var gone = await RawClient.ConnectAsync(Broker, "fields/2 ä", expiry: 100);
        await gone.DisconnectAsync();
        await gone.DisposeAsync();
        foreach (var root in new[] { "", $"/nodes/{Node}" })
        {
            var connected = Assert.Single((await Api.SucceedAsync("GET", $"{root}/clients/fields%2F1%20%C3%A4")).EnumerateArray());
            Shape.Check(Members, connected);
            Assert.Equal((Node, "fields/1 ä", "undefined", "undefined", "MQTT", 4), (connected.GetProperty("node").GetString(), connected.GetProperty("clientid").GetString(),
                connected.GetProperty("username").GetString(), connected.GetProperty("mountpoint").GetString(), connected.GetProperty("proto_name").GetString(), connected.GetProperty("proto_ver").GetInt32()));
            Assert.Equal((true, "127.0.0.1", 30, true, false), (connected.GetProperty("connected").GetBoolean(), connected.GetProperty("ip_address").GetString(),
                connected.GetProperty("keepalive").GetInt32(), connected.GetProperty("clean_start").GetBoolean(), connected.TryGetProperty("disconnected_at", out _)));
            var absent = Assert.Single((await Api.SucceedAsync("GET", $"{root}/clients/fields%2F2%20%C3%A4")).EnumerateArray());
            Shape.Check(Members, absent);
            Assert.Equal((false, true, 100), (absent.GetProperty("connected").GetBoolean(), absent.TryGetProperty("disconnected_at", out _), absent.GetProperty("expiry_interval").GetInt32()));
        }

        await Api.SucceedAsync("DELETE", "/clients/fields%2F2%20%C3%A4"); // offline sessions too
        Assert.Equal("[]", (await Api.SucceedAsync("GET", "/clients/fields%2F2%20%C3%A4")).GetRawText());
    }

    [Fact]
    public async Task UsersClientsAreFound_ByNameWithASlash()
    {
        await using var client = await RawClient.OpenAsync(Broker);
        await client.SendAsync(WirePacket.Connect("of-user", userName: "some/one"));
        await client.ExpectAsync(PacketType.Connack);
        foreach (var root in new[] { "", $"/nodes/{Node}" }) Shape.Check(Members, Assert.Single((await Api.SucceedAsync("GET", $"{root}/clients/username/some%2Fone")).EnumerateArray()));
        Assert.Equal("[]", (await Api.SucceedAsync("GET", "/clients/username/nobody")).GetRawText());
    }

    [Fact]
    public async Task PagesTellWhetherThereAreMore_AndTheCountWithoutFilters()
    {
        await using var one = await RawClient.ConnectAsync(Broker, "page-1");
        await using var two = await RawClient.ConnectAsync(Broker, "page-2");
        foreach (var root in new[] { "", $"/nodes/{Node}" })
        {
            var all = await Api.CallAsync("GET", $"{root}/clients");
            Shape.CheckMeta(all, 1, 10_000, all.GetProperty("data").GetArrayLength(), false);
            Shape.CheckMeta(await Api.CallAsync("GET", $"{root}/clients?_like_clientid=page-&_limit=1"), 1, 1, -1, true);
            Shape.CheckMeta(await Api.CallAsync("GET", $"{root}/clients?_like_clientid=page-&_limit=1&_page=2"), 2, 1, -1, false);
            Shape.CheckMeta(await Api.CallAsync("GET", $"{root}/clients?unknown=page-&_limit=1"), 1, 1, all.GetProperty("data").GetArrayLength(), true);
        }
    }

    [Theory]
    [InlineData("clientid=filter-v5", "filter-v5")]
    [InlineData("username=filter", "filter-v3")]
    [InlineData("_like_username=ilte", "filter-v3")]
    [InlineData("proto_ver=3", "filter-v3")]
    [InlineData("proto_name=MQIsdp", "filter-v3")]
    [InlineData("ip_address=127.0.0.1", "filter-v3,filter-v5")]
    [InlineData("ip_address=127.0.0.2", "")]
    [InlineData("conn_state=connected", "filter-v3,filter-v5")]
    [InlineData("conn_state=idle", "")]
    [InlineData("conn_state=disconnected", "")]
    [InlineData("clean_start=true", "filter-v3,filter-v5")]
    [InlineData("clean_start=false", "")]
    [InlineData("zone=external", "filter-v3,filter-v5")]
    [InlineData("zone=internal", "")]
    [InlineData("_gte_connected_at=1000&_lte_created_at=4000000000", "filter-v3,filter-v5")]
    [InlineData("_lte_connected_at=1000", "")]
    [InlineData("_gte_created_at=4000000000", "")]
    [InlineData("_gte_mqueue_len=1", "")]
    [InlineData("_lte_mqueue_len=0&_lte_mqueue_dropped=0", "filter-v3,filter-v5")]
    [InlineData("_gte_mqueue_dropped=1", "")]
    public async Task FiltersChoose(string filter, string expected)
    {
        await using var old = await RawClient.OpenAsync(Broker, level: 3);
        await old.SendAsync(WirePacket.Connect("filter-v3", 3, userName: "filter"));
        await old.ExpectAsync(PacketType.Connack);
        await using var recent = await RawClient.ConnectAsync(Broker, "filter-v5");
        var answer = await Api.CallAsync("GET", $"/clients?_like_clientid=filter-&{filter}");
        Assert.Equal(expected, string.Join(',', answer.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("clientid").GetString()).Order()));
        Assert.Equal(-1, answer.GetProperty("meta").GetProperty("count").GetInt32());
    }

    [Theory]
    [InlineData("proto_ver=x", "Can't convert x to integer type")]
    [InlineData("_gte_mqueue_len=x", "Can't convert x to integer type")]
    [InlineData("_gte_connected_at=x", "Can't convert x to timestamp type")]
    [InlineData("ip_address=x", "Can't convert x to ip type")]
    public Task FilterIsRefused_WhenItIsOfAnotherType(string filter, string message) => ExpectAsync($$"""{"code":108,"message":"{{message}}"}""", "GET", $"/clients?{filter}");

    [Theory]
    [InlineData("DELETE", "/clients/nobody")]
    [InlineData("DELETE", "/nodes/broker@127.0.0.1/clients/nobody")]
    [InlineData("GET", "/clients/nobody/acl_cache")]
    [InlineData("DELETE", "/clients/nobody/acl_cache")]
    [InlineData("DELETE", "/clients/nobody/ratelimit")]
    [InlineData("DELETE", "/clients/nobody/quota")]
    public Task AnswerIs112_WhenThereIsNoSuchClient(string method, string path) => ExpectAsync("""{"code":112,"message":"not_found"}""", method, path);

    [Theory]
    [InlineData("/clients/{0}")]
    [InlineData("/nodes/broker@127.0.0.1/clients/{0}")]
    public async Task KickedClientIsTold(string path)
    {
        await using var client = await RawClient.ConnectAsync(Broker, "kick/me");
        await ExpectAsync("""{"code":0}""", "DELETE", path.Replace("{0}", "kick%2Fme", StringComparison.Ordinal));
        await client.ExpectDisconnectAsync(ReasonCode.AdministrativeAction);
    }

    [Fact]
    public async Task LimitsAreTaken_AndTakenBack()
    {
        await using var client = await RawClient.ConnectAsync(Broker, "limit/ed");
        foreach (var body in new[] { """{"conn_bytes_in":"100KB,10s","conn_messages_in":"100,10s"}""", """{"conn_bytes_in":"1MB,1s"}""", "{}", null })
        {
            await ExpectAsync("""{"code":0}""", "POST", "/clients/limit%2Fed/ratelimit", body);
        }

        await ExpectAsync("""{"code":0}""", "DELETE", "/clients/limit%2Fed/ratelimit");
        await ExpectAsync("""{"code":0}""", "POST", "/clients/limit%2Fed/quota", """{"conn_messages_routing":"100,1s"}""");
        await ExpectAsync("""{"code":0}""", "DELETE", "/clients/limit%2Fed/quota");
        await ExpectAsync("""{"code":112,"message":"not_found"}""", "POST", "/clients/nobody/quota", """{"conn_messages_routing":"100,1s"}""");
    }

    [Fact]
    public async Task RememberedRulesAreShown()
    {
        await Api.SucceedAsync("POST", "/acl", """{"clientid":"somebody","topic":"x","action":"pub","access":"deny"}"""); // so that there are rules
        await using var client = await RawClient.ConnectAsync(Broker, "cached/rules");
        await client.SubscribeAsync("cached/#");
        var row = Assert.Single((await Api.SucceedAsync("GET", "/clients/cached%2Frules/acl_cache")).EnumerateArray());
        Shape.Check("access:string topic:string result:string updated_time:int", row);
        Assert.Equal(("subscribe", "cached/#", "allow"), (row.GetProperty("access").GetString(), row.GetProperty("topic").GetString(), row.GetProperty("result").GetString()));
        foreach (var path in new[] { "/clients/cached%2Frules/acl_cache", "/acl-cache", $"/nodes/{Node}/acl-cache", $"/node/{Node}/acl-cache" }) await ExpectAsync("""{"code":0}""", "DELETE", path);
        Assert.Equal("[]", (await Api.SucceedAsync("GET", "/clients/cached%2Frules/acl_cache")).GetRawText());
    }
}
