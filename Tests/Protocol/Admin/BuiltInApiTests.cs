using System.Text;
using System.Text.Json;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>`/auth_clientid`, `/auth_username` and `/acl`: what they change holds for the next client.</summary>
public sealed class BuiltInApiTests : IAsyncLifetime
{
    private BrokerHost broker = null!;
    private ApiClient api = null!;

    public async ValueTask InitializeAsync()
    {
        broker = await BrokerHost.StartAsync(new() { ["Security:AllowAnonymous"] = "false", ["Security:NoMatch"] = "deny", ["Security:BruteForce:Failures"] = "0" });
        api = new ApiClient(broker);
    }

    public async ValueTask DisposeAsync()
    {
        api.Dispose();
        await broker.DisposeAsync();
    }

    [Theory]
    [InlineData("username")]
    [InlineData("clientid")]
    public async Task UserConnects_UntilItIsRemoved(string field)
    {
        await api.SucceedAsync("POST", $"/auth_{field}", $$"""{"{{field}}":"a/b","password":"first"}""");
        Assert.Equal("existed", Message(await api.CallAsync("POST", $"/auth_{field}", $$"""{"{{field}}":"a/b","password":"first"}""")));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(field, "a/b", "first"));
        await api.SucceedAsync("PUT", $"/auth_{field}/a%2Fb", """{"password":"second"}""");
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await ConnectAsync(field, "a/b", "first"));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(field, "a/b", "second"));
        var user = await api.SucceedAsync("GET", $"/auth_{field}/a%2Fb");
        Assert.Equal("a/b", user.GetProperty(field).GetString());
        Assert.False(user.TryGetProperty("password", out _));
        Assert.InRange(user.GetProperty("created_at").GetInt64(), DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeMilliseconds());
        await api.SucceedAsync("DELETE", $"/auth_{field}/a%2Fb");
        Assert.NotEqual(ReasonCode.Success, await ConnectAsync(field, "a/b", "second"));
        Assert.Equal("{}", (await api.SucceedAsync("GET", $"/auth_{field}/a%2Fb")).GetRawText());
        Assert.Equal("noexisted", Message(await api.CallAsync("PUT", $"/auth_{field}/a%2Fb", """{"password":"x"}""")));
    }

    [Fact]
    public async Task UsersAreListed_NewestFirst()
    {
        var outcomes = await api.SucceedAsync("POST", "/auth_username", """[{"username":"u1","password":"p"},{"username":"u2","password":"p"},{"username":"x3","password":"p"},{"username":"u4"}]""");
        Assert.Equal(["ok", "ok", "ok", "{error,password}"], outcomes.EnumerateObject().Select(one => one.Value.GetString()));
        await api.SucceedAsync("POST", "/auth_clientid", """{"clientid":"other","password":"p"}""");
        Assert.Equal(["x3", "u2", "u1"], await NamesAsync("/auth_username", "username"));
        Assert.Equal(["u2", "u1"], await NamesAsync("/auth_username?_like_username=u", "username"));
        Assert.Equal(["u1"], await NamesAsync("/auth_username?username=u1", "username"));
        var meta = (await api.CallAsync("GET", "/auth_username?_limit=2&_page=1")).GetProperty("meta");
        Assert.Equal((3, true), (meta.GetProperty("count").GetInt32(), meta.GetProperty("hasnext").GetBoolean()));
        Assert.Equal(["u1"], await NamesAsync("/auth_username?_limit=2&_page=2", "username"));
        Assert.Equal(["other"], await NamesAsync("/auth_clientid", "clientid"));
    }

    [Theory]
    [InlineData("""{"password":"p"}""", "login")]
    [InlineData("""{"username":"","password":"p"}""", "login")]
    [InlineData("""{"username":"u"}""", "password")]
    [InlineData("""{"username":"u","password":7}""", "password")]
    [InlineData("""{"username":"a\u0000b","password":"p"}""", "login")]
    public async Task UserIsRefused_WhenAFieldIsWrong(string body, string field) => Assert.Equal(field, Message(await api.CallAsync("POST", "/auth_username", body)));

    [Fact]
    public async Task RuleHolds_UntilItIsRemoved()
    {
        await api.SucceedAsync("POST", "/auth_username", """{"username":"u","password":"p"}""");
        var added = await api.SucceedAsync("POST", "/acl", """{"username":"u","topic":"t/%c/#","action":"pubsub","access":"allow"}""");
        Assert.Equal("""{"username":"u","topic":"t/%c/#","action":"pubsub","access":"allow","result":"ok"}""", added.GetRawText());
        Assert.Equal(ReasonCode.Success, await SubscribeAsync("me", "t/me/x"));
        Assert.Equal(ReasonCode.NotAuthorized, await SubscribeAsync("me", "t/you/x"));
        Assert.Equal("""[{"username":"u","topic":"t/%c/#","action":"pubsub","access":"allow"}]""", (await api.SucceedAsync("GET", "/acl/username/u")).GetRawText());
        await api.SucceedAsync("DELETE", $"/acl/username/u/topic/{Uri.EscapeDataString("t/%c/#")}");
        Assert.Equal(ReasonCode.NotAuthorized, await SubscribeAsync("me", "t/me/x"));
        Assert.Equal(0, (await api.SucceedAsync("GET", "/acl/username/u")).GetArrayLength());
    }

    [Fact]
    public async Task RulesAreListed_BySubject()
    {
        var outcomes = await api.SucceedAsync("POST", "/acl", """
            [{"clientid":"c","topic":"a","action":"pub","access":"deny"},{"topic":"b","action":"sub","access":"allow"},{"username":"u","topic":"a/#/b","action":"sub","access":"allow"},
             {"clientid":"d","topic":"a","action":"everything","access":"deny"},{"clientid":"d","topic":"d","action":"sub","access":"allow"}]
            """);
        Assert.Equal(["ok", "{error,action}", "{error,'a/#/b' is no topic filter.}", "ok", "ok"], outcomes.EnumerateArray().Select(one => one.GetProperty("result").GetString()));
        Assert.Equal(["d", "c"], await NamesAsync("/acl/clientid", "clientid"));
        Assert.Equal(["c"], await NamesAsync("/acl/clientid?access=deny", "clientid"));
        Assert.Equal(["d"], await NamesAsync("/acl/clientid?_like_clientid=d&action=sub&topic=d", "clientid"));
        Assert.Equal(["$all"], await NamesAsync("/acl/$all", "all"));
        var meta = (await api.CallAsync("GET", "/acl/clientid")).GetProperty("meta");
        Assert.Equal((50, 2, false), (meta.GetProperty("limit").GetInt32(), meta.GetProperty("count").GetInt32(), meta.TryGetProperty("hasnext", out _)));
        await api.SucceedAsync("DELETE", "/acl/$all/topic/b");
        Assert.Empty(await NamesAsync("/acl/$all", "all"));
    }

    private async Task<string[]> NamesAsync(string path, string field) => [.. (await api.SucceedAsync("GET", path)).EnumerateArray().Select(row => row.GetProperty(field).GetString()!)];

    private static string? Message(JsonElement answer) => answer.GetProperty("message").GetString();

    private async Task<ReasonCode> ConnectAsync(string field, string name, string password)
    {
        await using var client = await RawClient.OpenAsync(broker);
        var isName = field == "username";
        await client.SendAsync(WirePacket.Connect(isName ? "" : name, userName: isName ? name : null, password: Encoding.UTF8.GetBytes(password)));
        return (await client.ExpectAsync(PacketType.Connack)).Code;
    }

    private async Task<ReasonCode> SubscribeAsync(string clientId, string filter)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect(clientId, userName: "u", password: "p"u8.ToArray()));
        await client.ExpectAsync(PacketType.Connack);
        await client.SendAsync(WirePacket.Subscribe(1, filter));
        return (await client.ExpectAsync(PacketType.Suback)).Code;
    }
}
