using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>`/banned`, `/auth_clientid`, `/auth_username`, `/acl` and `/sasl`.</summary>
public sealed class SecurityContractTests(ContractBroker broker) : ContractSuite(broker)
{
    [Fact]
    public async Task BansHaveAllFields()
    {
        await ExpectAsync("""{"code":0,"data":{"who":"ban/1","as":"clientid"}}""", "POST", "/banned", """{"who":"ban/1","as":"clientid"}""");
        await ExpectAsync(
            """{"code":0,"data":{"who":"10.1.2.3","as":"peerhost","reason":"r","by":"me","at":1000,"until":4000000000}}""", "POST", "/banned",
            """{"who":"10.1.2.3","as":"peerhost","reason":"r","by":"me","at":1000,"until":4000000000}""");
        await Api.SucceedAsync("POST", "/banned", """{"who":"name","as":"username"}""");
        var answer = await Api.CallAsync("GET", "/banned");
        var rows = answer.GetProperty("data").EnumerateArray().ToDictionary(row => row.GetProperty("who").GetString()!);
        foreach (var row in rows.Values) Shape.Check("who:string as:string reason:string by:string at:int until:int", row);
        Assert.Equal(("", "user", 300), (rows["ban/1"].GetProperty("reason").GetString(), rows["ban/1"].GetProperty("by").GetString(), rows["ban/1"].GetProperty("until").GetInt64() - rows["ban/1"].GetProperty("at").GetInt64()));
        Assert.Equal("""{"who":"10.1.2.3","as":"peerhost","reason":"r","by":"me","at":1000,"until":4000000000}""", rows["10.1.2.3"].GetRawText());
        Shape.CheckMeta(answer, 1, 10_000, rows.Count, null);
        Assert.Single((await Api.SucceedAsync("GET", "/banned?_page=2&_limit=1")).EnumerateArray());
        foreach (var path in new[] { "clientid/ban%2F1", "peerhost/10.1.2.3", "username/name", "username/name" }) await ExpectAsync("""{"code":0}""", "DELETE", $"/banned/{path}");
        foreach (var body in new[] { """{"who":"x"}""", """{"as":"clientid"}""", "{}" })
        {
            Assert.Equal((107, "missing mandatory params: ['who', 'as']"), Fault(await Api.CallAsync("POST", "/banned", body)));
        }

        Assert.Equal(108, Fault(await Api.CallAsync("POST", "/banned", """{"who":"x","as":"ip"}""")).Code);
        Assert.Equal(108, Fault(await Api.CallAsync("DELETE", "/banned/ip/x")).Code);
    }

    [Theory]
    [InlineData("clientid")]
    [InlineData("username")]
    public async Task BuiltInUsersHaveAllFields(string field)
    {
        await ExpectAsync("""{"code":0}""", "POST", $"/auth_{field}", $$"""{"{{field}}":"con/1","password":"p"}""");
        await ExpectAsync("""{"message":"existed"}""", "POST", $"/auth_{field}", $$"""{"{{field}}":"con/1","password":"p"}""");
        await ExpectAsync(
            """{"code":0,"data":{"con/1":"{error,existed}","con/2":"ok","con/3":"{error,password}"}}""", "POST", $"/auth_{field}",
            $$"""[{"{{field}}":"con/1","password":"p"},{"{{field}}":"con/2","password":"p"},{"{{field}}":"con/3"}]""");
        await ExpectAsync("""{"message":"login"}""", "POST", $"/auth_{field}", """{"password":"p"}""");
        await ExpectAsync("""{"message":"login"}""", "POST", $"/auth_{field}", $$"""{"{{field}}":"","password":"p"}""");
        await ExpectAsync("""{"message":"password"}""", "POST", $"/auth_{field}", $$"""{"{{field}}":"con/4"}""");
        await ExpectAsync("""{"code":0}""", "PUT", $"/auth_{field}/con%2F1", """{"password":"q"}""");
        await ExpectAsync("""{"message":"noexisted"}""", "PUT", $"/auth_{field}/nobody", """{"password":"q"}""");
        Shape.Check($"{field}:string is_superuser:bool created_at:int", await Api.SucceedAsync("GET", $"/auth_{field}/con%2F1"));
        var answer = await Api.CallAsync("GET", $"/auth_{field}");
        Assert.Equal(["con/1", "con/2"], answer.GetProperty("data").EnumerateArray().Select(row => row.GetProperty(field).GetString())); // the newest first: con/1 has been changed
        Shape.CheckMeta(answer, 1, 10_000, 2, false);
        Shape.CheckMeta(await Api.CallAsync("GET", $"/auth_{field}?_like_{field}=con&_limit=1"), 1, 1, -1, true);
        foreach (var name in new[] { "con%2F1", "con%2F2", "nobody" }) await ExpectAsync("""{"code":0}""", "DELETE", $"/auth_{field}/{name}");
        await ExpectAsync("""{"code":0,"data":{}}""", "GET", $"/auth_{field}/con%2F1");
    }

    [Theory]
    [InlineData("clientid", "\"clientid\":\"con/1\",", "/acl/clientid", "/acl/clientid/con%2F1")]
    [InlineData("username", "\"username\":\"con/1\",", "/acl/username", "/acl/username/con%2F1")]
    [InlineData("all", "", "/acl/$all", "/acl/$all")]
    public async Task AccessRulesHaveAllFields(string field, string subject, string list, string own)
    {
        var shown = field == "all" ? "\"all\":\"$all\"," : subject;
        await ExpectAsync(
            "{\"code\":0,\"data\":{" + shown + """ "topic":"con/%c","action":"pubsub","access":"allow","result":"ok"}}""", "POST", "/acl",
            "{" + subject + """ "topic":"con/%c","action":"pubsub","access":"allow"}""");
        await ExpectAsync(
            "{\"code\":0,\"data\":[{\"result\":\"{error,action}\"},{" + shown + """ "topic":"con/#","action":"sub","access":"deny","result":"ok"}]}""", "POST", "/acl",
            "[{" + subject + """ "topic":"con/#","action":"sub","access":"deny"},{""" + subject + """ "topic":"x","action":"both","access":"deny"}]""");
        foreach (var (body, fault) in new[] { ("\"action\":\"sub\",\"access\":\"deny\"", "topic"), ("\"topic\":\"x\",\"access\":\"deny\"", "action"), ("\"topic\":\"x\",\"action\":\"sub\",\"access\":\"yes\"", "access") })
        {
            await ExpectAsync($$"""{"message":"{{fault}}"}""", "POST", "/acl", "{" + subject + body + "}");
        }

        var answer = await Api.CallAsync("GET", $"{list}?topic=con%2F%23");
        Shape.Check($"{field}:string topic:string action:string access:string", Assert.Single(answer.GetProperty("data").EnumerateArray()));
        answer = await Api.CallAsync("GET", $"{list}?_limit=1");
        Shape.CheckMeta(answer, 1, 1, answer.GetProperty("meta").GetProperty("count").GetInt32(), null);
        Assert.Equal(50, (await Api.CallAsync("GET", list)).GetProperty("meta").GetProperty("limit").GetInt32());
        Assert.Equal(["con/#", "con/%c"], (await Api.SucceedAsync("GET", own)).EnumerateArray().Select(row => row.GetProperty("topic").GetString()).Take(2));
        await ExpectAsync("""{"code":0}""", "DELETE", $"{own}/topic/con%2F%23");
        await ExpectAsync("""{"code":0}""", "DELETE", $"{own}/topic/con%2F%25c");
        await ExpectAsync("""{"code":0}""", "DELETE", $"{own}/topic/none");
        Assert.DoesNotContain((await Api.SucceedAsync("GET", own)).EnumerateArray(), row => row.GetProperty("topic").GetString()!.StartsWith("con/", StringComparison.Ordinal));
    }

    private static (int Code, string? Message) Fault(System.Text.Json.JsonElement answer) => (answer.GetProperty("code").GetInt32(), answer.GetProperty("message").GetString());
}
