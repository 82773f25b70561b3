using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>The paths and shapes of EMQ X 4.0 to 4.2, `/auth_user`, `/mqtt_user`, `/emqx_acl` and `/mqtt_acl`, and `/sasl`.</summary>
public sealed class LegacyContractTests(ContractBroker broker) : ContractSuite(broker)
{
    [Theory]
    [InlineData("/auth_user")]
    [InlineData("/mqtt_user")]
    public async Task UsersHaveALogin(string root)
    {
        await ExpectAsync("""{"code":0,"data":{"old/1":"ok"}}""", "POST", root, """{"login":"old/1","password":"p","is_superuser":true}""");
        await ExpectAsync(
            """{"code":0,"data":{"old/1":"{error,existed}","old/2":"ok","":"{error,login}"}}""", "POST", root, """[{"login":"old/1","password":"p"},{"login":"old/2","password":"p"},{"password":"p"}]""");
        await ExpectAsync("""{"message":"login"}""", "POST", root, """{"password":"p"}""");
        await ExpectAsync("""{"message":"password"}""", "POST", root, """{"login":"old/3"}""");
        var one = await Api.SucceedAsync("GET", $"{root}/old%2F1");
        Shape.Check("login:string password:string is_superuser:bool", one);
        Assert.Matches("^[0-9a-f]{64}$", one.GetProperty("password").GetString()); // a hash
        Assert.True(one.GetProperty("is_superuser").GetBoolean());
        Assert.Equal("old/1", (await Api.SucceedAsync("GET", "/auth_username/old%2F1")).GetProperty("username").GetString()); // `login` is the user name
        await ExpectAsync("""{"code":0}""", "PUT", $"{root}/old%2F1", """{"password":"q","is_superuser":false}""");
        await ExpectAsync("""{"message":"noexisted"}""", "PUT", $"{root}/nobody", """{"password":"q"}""");
        var list = await Api.CallAsync("GET", root);
        Assert.Equal(["old/1", "old/2"], list.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("login").GetString()));
        Shape.CheckMeta(list, 1, 10, 2, null);
        foreach (var name in new[] { "old%2F1", "old%2F2", "nobody" }) await ExpectAsync("""{"code":0}""", "DELETE", $"{root}/{name}");
        await ExpectAsync("""{"code":0,"data":{}}""", "GET", $"{root}/old%2F1");
    }

    [Theory]
    [InlineData("/emqx_acl")]
    [InlineData("/mqtt_acl")]
    public async Task RulesAllowOrNot(string root)
    {
        await ExpectAsync("""{"code":0,"data":{"old/1":"ok"}}""", "POST", root, """{"login":"old/1","topic":"t/%c","action":"pubsub","allow":true}""");
        await ExpectAsync(
            """{"code":0,"data":{"old/1":"ok","$all":"ok","bad":"{error,topic}"}}""", "POST", root,
            """[{"login":"old/1","topic":"u/#","action":"sub","allow":false},{"login":"$all","topic":"u/#","action":"pub","allow":true},{"login":"bad","topic":"#/x","action":"pub","allow":true}]""");
        foreach (var (body, fault) in new[] { ("{}", "login"), ("""{"login":"l"}""", "topic"), ("""{"login":"l","topic":"t"}""", "action"), ("""{"login":"l","topic":"t","action":"pub","allow":"yes"}""", "allow") })
        {
            await ExpectAsync($$"""{"message":"{{fault}}"}""", "POST", root, body);
        }

        await ExpectAsync(
            """{"code":0,"data":[{"login":"old/1","topic":"u/#","action":"sub","allow":false},{"login":"old/1","topic":"t/%c","action":"pubsub","allow":true}]}""", "GET", $"{root}/old%2F1");
        Assert.Contains((await Api.SucceedAsync("GET", $"{root}/$all")).EnumerateArray(), row => row.GetProperty("topic").GetString() == "u/#");
        var list = await Api.CallAsync("GET", root);
        foreach (var row in list.GetProperty("data").EnumerateArray()) Shape.Check("login:string topic:string action:string allow:bool", row);
        Shape.CheckMeta(list, 1, 10, list.GetProperty("data").GetArrayLength(), null);
        await ExpectAsync("""{"code":0}""", "DELETE", $"{root}/old%2F1/u%2F%23");
        await ExpectAsync("""{"code":0}""", "DELETE", $"{root}/old%2F1/t%2F%25c");
        await ExpectAsync("""{"code":0}""", "DELETE", $"{root}/$all/u%2F%23");
        await ExpectAsync("""{"code":0,"data":[]}""", "GET", $"{root}/old%2F1");
    }

    [Theory]
    [InlineData("SCRAM-SHA-1")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-512")]
    public async Task ScramUserLogsIn_UntilItIsRemoved(string mechanism)
    {
        string Body(string password) => $$"""{"mechanism":"{{mechanism}}","username":"sasl, user","password":"{{password}}","salt":"pepper","iteration_count":5000}""";
        var path = $"/sasl?mechanism={mechanism}&username=sasl%2C%20user";
        await ExpectAsync("""{"code":0}""", "POST", "/sasl", Body("first"));
        await ExpectAsync("""{"message":"already_existed"}""", "POST", "/sasl", Body("first"));
        var user = await Api.SucceedAsync("GET", path);
        Shape.Check("username:string stored_key:string server_key:string salt:string iteration_count:int", user);
        Assert.Equal(("sasl, user", "pepper", 5000), (user.GetProperty("username").GetString(), user.GetProperty("salt").GetString(), user.GetProperty("iteration_count").GetInt32()));
        await ExpectAsync($$$"""{"code":0,"data":{"{{{mechanism}}}":["sasl, user"]}}""", "GET", $"/sasl?mechanism={mechanism}");
        Assert.Equal(["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"], (await Api.SucceedAsync("GET", "/sasl")).EnumerateArray().Select(one => Assert.Single(one.EnumerateObject()).Name));
        Assert.Equal(ReasonCode.Success, await LogInAsync(mechanism, "first"));
        await ExpectAsync("""{"code":0}""", "PUT", "/sasl", Body("second"));
        Assert.Equal((ReasonCode.NotAuthorized, ReasonCode.Success), (await LogInAsync(mechanism, "first"), await LogInAsync(mechanism, "second")));
        await ExpectAsync("""{"code":0}""", "DELETE", path);
        foreach (var method in new[] { "GET", "DELETE" }) await ExpectAsync("""{"message":"not_found"}""", method, path);
        await ExpectAsync("""{"message":"not_found"}""", "PUT", "/sasl", Body("third"));
        Assert.Equal(ReasonCode.NotAuthorized, await LogInAsync(mechanism, "second"));
    }

    [Theory]
    [InlineData("""{"mechanism":"PLAIN","username":"u","password":"p","salt":"s"}""", "unsupported_mechanism")]
    [InlineData("""{"username":"u","password":"p","salt":"s"}""", "missing_required_param")]
    [InlineData("""{"mechanism":"SCRAM-SHA-1","username":"u","password":"p"}""", "missing_required_param")]
    [InlineData("""{"mechanism":"SCRAM-SHA-1","username":"u","salt":"s"}""", "missing_required_param")]
    [InlineData("""{"mechanism":"SCRAM-SHA-1","username":7,"password":"p","salt":"s"}""", "invalid_username")]
    [InlineData("""{"mechanism":"SCRAM-SHA-1","username":"u","password":{},"salt":"s"}""", "invalid_password")]
    [InlineData("""{"mechanism":"SCRAM-SHA-1","username":"u","password":"p","salt":1}""", "invalid_salt")]
    [InlineData("""{"mechanism":"SCRAM-SHA-1","username":"u","password":"p","salt":"s","iteration_count":"many"}""", "invalid_iteration_count")]
    [InlineData("""{"mechanism":"SCRAM-SHA-1","username":"u","password":"p","salt":"s","iteration_count":100}""", "invalid_iteration_count")]
    [InlineData("""{"mechanism":"SCRAM-SHA-1","username":"u","password":"p","salt":"s","iteration_count":2000000000}""", "invalid_iteration_count")]
    public async Task ScramUserIsRefused_WhenAParameterIsWrong(string body, string fault)
    {
        foreach (var method in new[] { "POST", "PUT" }) await ExpectAsync($$"""{"message":"{{fault}}"}""", method, "/sasl", body);
    }

    private async Task<ReasonCode> LogInAsync(string mechanism, string password)
    {
        await using var client = await RawClient.OpenAsync(Broker);
        var scram = new ScramTests.Client(mechanism, "sasl, user", password);
        await client.SendAsync(WirePacket.Connect("sasl", properties: scram.First()));
        await client.SendAsync(WirePacket.Auth(ReasonCode.ContinueAuthentication, scram.Final(await client.ExpectAsync(PacketType.Auth))));
        return (await client.ExpectAsync(PacketType.Connack)).Code;
    }
}
