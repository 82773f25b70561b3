using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>`/subscriptions`, `/routes` and `/mqtt`.</summary>
public sealed class MessageContractTests(ContractBroker broker) : ContractSuite(broker)
{
    [Fact]
    public async Task SubscriptionsAndRoutesHaveAllFields()
    {
        await using var client = await RawClient.ConnectAsync(Broker, "sub/1");
        await client.SubscribeAsync("subs/a b", Qos.AtLeastOnce);
        await client.SubscribeAsync("$share/subs/subs/x");
        await client.SubscribeAsync("$queue/subs/y");
        foreach (var path in new[] { "/subscriptions/sub%2F1", $"/nodes/{Node}/subscriptions/sub%2F1", "/subscriptions?clientid=sub%2F1", $"/nodes/{Node}/subscriptions?clientid=sub%2F1" })
        {
            var rows = (await Api.SucceedAsync("GET", path)).EnumerateArray().ToArray();
            foreach (var row in rows) Shape.Check("node:string clientid:string topic:string qos:int", row);
            Assert.Equal(["$share/$queue/subs/y", "$share/subs/subs/x", "subs/a b"], rows.Select(row => row.GetProperty("topic").GetString()).Order(StringComparer.Ordinal));
        }

        Shape.CheckMeta(await Api.CallAsync("GET", "/subscriptions?share=subs"), 1, 10_000, -1, false);
        Shape.CheckMeta(await Api.CallAsync("GET", "/subscriptions?share=%24queue&_match_topic=subs%2F%2B"), 1, 10_000, -1, false);
        Shape.CheckMeta(await Api.CallAsync("GET", "/subscriptions?topic=subs%2Fa%20b"), 1, 10_000, 1, false); // the one filter with a count
        Shape.CheckMeta(await Api.CallAsync("GET", "/subscriptions?topic=subs%2Fa%20b&qos=0"), 1, 10_000, -1, false);
        Assert.Equal("[]", (await Api.SucceedAsync("GET", "/subscriptions/nobody")).GetRawText());

        foreach (var row in (await Api.SucceedAsync("GET", "/routes")).EnumerateArray()) Shape.Check("topic:string node:string", row);
        var routes = await Api.CallAsync("GET", "/routes?_limit=1");
        Shape.CheckMeta(routes, 1, 1, routes.GetProperty("meta").GetProperty("count").GetInt32(), null);
        Assert.Equal($$"""[{"topic":"subs/a b","node":"{{Node}}"}]""", (await Api.SucceedAsync("GET", "/routes/subs%2Fa%20b")).GetRawText());
        Assert.Equal("[]", (await Api.SucceedAsync("GET", "/routes/none")).GetRawText());
    }

    [Theory]
    [InlineData("publish", """{"topic":"faults/#","payload":"x","clientid":"c"}""", """{"code":115,"message":"bad_topic"}""")]
    [InlineData("publish", """{"payload":"x","clientid":"c"}""", """{"code":115,"message":"bad_topic"}""")]
    [InlineData("publish", """{"topic":["faults"]}""", """{"code":115,"message":"bad_topic"}""")]
    [InlineData("publish", """{"topics":["faults/1","faults/2"]}""", """{"code":115,"message":"bad_topic"}""")]
    [InlineData("publish", """{"topic":5,"topics":"faults"}""", """{"code":115,"message":"bad_topic"}""")]
    [InlineData("publish?topic=faults&qos=1", null, """{"code":0}""")]
    [InlineData("publish?topic=faults&qos=3", """{"topic":"faults/#","payload":"x"}""", """{"code":116,"message":"bad_qos"}""")] // the query string wins
    [InlineData("subscribe?topic=faults&clientid=nobody", null, """{"code":112,"message":"channel_not_found"}""")]
    [InlineData("publish", """{"topic":"faults","clientid":1}""", """{"code":108,"message":"bad clientid: must be string"}""")]
    [InlineData("publish", """{"topic":"faults","qos":3}""", """{"code":116,"message":"bad_qos"}""")]
    [InlineData("publish", """{"topic":"faults","qos":1}""", """{"code":0}""")]
    [InlineData("publish", """{"topics":"faults/1,faults/#","properties":{"user_properties":{"a":"b"}}}""", """{"code":0}""")]
    [InlineData("subscribe", """{"topic":"faults"}""", """{"code":108,"message":"bad clientid: must be string"}""")]
    [InlineData("subscribe", """{"clientid":7,"topic":"faults"}""", """{"code":108,"message":"bad clientid: must be string"}""")]
    [InlineData("subscribe", """{"clientid":"nobody","topic":"faults"}""", """{"code":112,"message":"channel_not_found"}""")]
    [InlineData("subscribe", """{"clientid":"nobody","topic":"faults/#/x"}""", """{"code":115,"message":"bad_topic"}""")]
    [InlineData("subscribe", """{"clientid":"nobody"}""", """{"code":115,"message":"bad_topic"}""")]
    [InlineData("subscribe", """{"clientid":"nobody","topic":"faults","qos":3}""", """{"code":116,"message":"bad_qos"}""")]
    [InlineData("unsubscribe", """{"topic":"faults"}""", """{"code":108,"message":"bad clientid: must be string"}""")]
    [InlineData("unsubscribe", """{"clientid":"nobody","topic":"faults"}""", """{"code":112,"message":"channel_not_found"}""")]
    [InlineData("unsubscribe", """{"clientid":"nobody","topic":""}""", """{"code":115,"message":"bad_topic"}""")]
    [InlineData("publish_batch", """[{"topic":"faults"},{"topics":"faults/+"},{"topic":"faults","qos":9}]""",
        """{"code":0,"data":[{"topic":"faults","code":0},{"topic":"faults/+","code":115},{"topic":"faults","code":116}]}""")]
    [InlineData("subscribe_batch", """[{"clientid":"nobody","topic":"faults"},{"clientid":"nobody","topic":"#/"}]""",
        """{"code":0,"data":[{"clientid":"nobody","topic":"faults","code":112},{"clientid":"nobody","topic":"#/","code":115}]}""")]
    [InlineData("unsubscribe_batch", """[{"clientid":"nobody","topic":"faults"}]""", """{"code":0,"data":[{"clientid":"nobody","topic":"faults","code":112}]}""")]
    [InlineData("publish_batch", "[]", """{"code":0,"data":[]}""")]
    public Task FaultsHaveEmqxCodes(string action, string? body, string answer) => ExpectAsync(answer, "POST", $"/mqtt/{action}", body);

    [Fact]
    public async Task PublishedMessageHasItsNumber_WhenAsked()
    {
        var one = await Api.SucceedAsync("POST", "/mqtt/publish", """{"topic":"numbers","return":true}""");
        Shape.Check("msgid:string", one);
        Assert.Matches("^[0-9A-F]{32}$", one.GetProperty("msgid").GetString());
        var many = await Api.SucceedAsync("POST", "/mqtt/publish", """{"topics":"numbers/1,numbers/2","return":1}""");
        Shape.Check("msgids:array", many);
        Assert.Equal(2, many.GetProperty("msgids").GetArrayLength());
    }

    [Fact]
    public async Task ClientIsSubscribed_AndUnsubscribed()
    {
        await using var client = await RawClient.ConnectAsync(Broker, "api/sub");
        await ExpectAsync("""{"code":0}""", "POST", "/mqtt/subscribe", """{"clientid":"api/sub","topics":"made/1,made/2","qos":1}""");
        await ExpectAsync("""{"code":0}""", "POST", "/mqtt/publish", """{"topic":"made/1,made/2","payload":[1,"a"],"qos":1,"clientid":"script"}""");
        await client.ExpectPublishAsync("made/1", "[1,\"a\"]", Qos.AtLeastOnce);
        await client.ExpectPublishAsync("made/2", "[1,\"a\"]", Qos.AtLeastOnce);
        await ExpectAsync(
            """{"code":0,"data":[{"clientid":"api/sub","topic":"made/1","code":0},{"clientid":"api/sub","topic":"made/2","code":0}]}""", "POST", "/mqtt/unsubscribe_batch",
            """[{"clientid":"api/sub","topic":"made/1"},{"clientid":"api/sub","topic":"made/2"}]""");
        Assert.Equal("[]", (await Api.SucceedAsync("GET", "/subscriptions/api%2Fsub")).GetRawText());
    }
}
