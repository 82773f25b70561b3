using System.Net;
using System.Text.Json;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Records;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Backup;

/// <summary>What was exported from one broker works in another that had nothing.</summary>
public sealed class RoundTripTests
{
    [Fact]
    public async Task EverythingWorksAgain_InAnotherBroker()
    {
        await using var first = await Restored.StartAsync(("Modules:TopicMetrics", "true"));
        await FillAsync(first);
        await CheckAsync(first);
        var document = await first.ExportAsync();

        await using var second = await Restored.StartAsync(("Modules:TopicMetrics", "true"));
        await second.Api.SucceedAsync("POST", "/data/import", document.GetRawText());
        await CheckAsync(second);
        Assert.Equal(Restored.RecordsOf(document), Restored.RecordsOf(await second.ExportAsync()));
        await second.Api.SucceedAsync("POST", "/data/import", document.GetRawText()); // twice is as once
        await second.Broker.RestartAsync();
        var again = new Restored(second.Broker);
        using var api = again.Api;
        await CheckAsync(again);
        Assert.Equal(Restored.RecordsOf(document), Restored.RecordsOf(await again.ExportAsync()));
    }

    [Fact]
    public async Task EmqxReadsItsMembers_AndTheSecretsItCouldNotCheckAreNotThere()
    {
        await using var broker = await Restored.StartAsync();
        await FillAsync(broker);
        var document = await broker.ExportAsync();
        Assert.Equal("4.3", document.GetProperty("version").GetString());
        Assert.Equal("""{"who":{"clientid":"banned"},"by":"me","reason":"r","at":1000,"until":4000000000}""", Assert.Single(document.GetProperty("blacklist").EnumerateArray()).GetRawText());
        var app = Assert.Single(document.GetProperty("apps").EnumerateArray(), row => row.GetProperty("id").GetString() == "meter");
        Assert.Equal("""{"id":"meter","name":"Meter","desc":"","status":true,"expired":"undefined"}""", app.GetRawText());
        Assert.Contains(document.GetProperty("users").EnumerateArray(), row => row.GetRawText() == """{"username":"ann","tags":"day"}""");
        Assert.Equal(
            ["client-1 clientid", "user-1 username", "root username"],
            document.GetProperty("auth_mnesia").EnumerateArray().Select(row => $"{row.GetProperty("login")} {row.GetProperty("type")}"));
        Assert.Equal(
            ["all  open/# sub allow", "username user-1 t/# pub allow", "username user-1 t/# sub allow", "username user-1 t/secret pub deny"],
            document.GetProperty("acl_mnesia").EnumerateArray().Select(DescribeRule).Order(StringComparer.Ordinal));
        foreach (var kind in new[] { "rules", "resources" }) Assert.Equal(0, document.GetProperty(kind).GetArrayLength());
        Assert.DoesNotContain("given-secret", document.GetRawText(), StringComparison.Ordinal);
    }

    private static string DescribeRule(JsonElement row)
    {
        var who = row.TryGetProperty("type_value", out var value) ? value.GetString() : "";
        return $"{row.GetProperty("type")} {who} {row.GetProperty("topic")} {row.GetProperty("action")} {row.GetProperty("access")}";
    }

    private static async Task FillAsync(Restored broker)
    {
        var api = broker.Api;
        using var dashboard = ApiClient.OfDashboard(broker.Broker);
        await dashboard.SucceedAsync("POST", "/apps", """{"app_id":"meter","name":"Meter","secret":"given-secret","status":true}""");
        await dashboard.SucceedAsync("POST", "/users", """{"username":"ann","password":"ann-secret","tags":"day"}""");
        await api.SucceedAsync("POST", "/auth_clientid", """{"clientid":"client-1","password":"one"}""");
        await api.SucceedAsync("POST", "/auth_username", """[{"username":"user-1","password":"two"},{"username":"root","password":"three","is_superuser":true}]""");
        await api.SucceedAsync("POST", "/acl", """[{"username":"user-1","topic":"t/#","action":"pubsub","access":"allow"},{"username":"user-1","topic":"t/secret","action":"pub","access":"deny"}]""");
        await api.SucceedAsync("POST", "/acl", """{"topic":"open/#","action":"sub","access":"allow"}""");
        await api.SucceedAsync("POST", "/sasl", """{"mechanism":"SCRAM-SHA-256","username":"scram","password":"four","salt":"pepper"}""");
        await api.SucceedAsync("POST", "/banned", """{"who":"banned","as":"clientid","reason":"r","by":"me","at":1000,"until":4000000000}""");
        await api.SucceedAsync("POST", "/banned", """{"who":"10.0.0.0/8","as":"peerhost","until":4000000000}""");
        await api.SucceedAsync("PUT", "/modules/emqx_mod_presence/unload");
        if ((await api.CallAsync("POST", "/topic-metrics", """{"topic":"counted/a b"}""")).TryGetProperty("code", out _)) await api.SucceedAsync("GET", "/topic-metrics/counted%2Fa%20b");
        // Tables that this program does not know: of a newer one, or of a part that is not there.
        await broker.Broker.Services.GetRequiredService<RecordFeed>().WriteAsync(
            new RecordChange("later", "text", "{\"a\":[1,null]}"u8.ToArray()), new RecordChange("later", "bytes\0ä", [0, 255, 1]), new RecordChange("later", "passing", "1"u8.ToArray(), ExpiresAt: 4_000_000_000_000));
    }

    private static async Task CheckAsync(Restored broker)
    {
        Assert.Equal(ReasonCode.Success, await broker.LogInAsync("client-1", null, "one"));
        Assert.Equal(ReasonCode.BadUserNameOrPassword, await broker.LogInAsync("client-1", null, "two"));
        Assert.Equal((true, true), await broker.MayAsync("c", "user-1", "two", "t/x"));
        Assert.Equal((true, false), await broker.MayAsync("c", "user-1", "two", "t/secret")); // the newer rule first
        Assert.Equal((true, false), await broker.MayAsync("c", "user-1", "two", "open/x"));
        Assert.Equal((false, false), await broker.MayAsync("c", "user-1", "two", "other"));
        Assert.Equal((true, true), await broker.MayAsync("c", "root", "three", "other"));
        Assert.Equal(ReasonCode.Banned, await broker.LogInAsync("banned", "user-1", "two"));
        await using (var client = await RawClient.OpenAsync(broker.Broker))
        {
            var scram = new ScramTests.Client("SCRAM-SHA-256", "scram", "four");
            await client.SendAsync(WirePacket.Connect("scrammer", properties: scram.First()));
            await client.SendAsync(WirePacket.Auth(ReasonCode.ContinueAuthentication, scram.Final(await client.ExpectAsync(PacketType.Auth))));
            Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Connack)).Code);
        }

        using var meter = new ApiClient(broker.Broker, "meter:given-secret");
        await meter.SucceedAsync("GET", "/stats");
        using var ann = ApiClient.OfDashboard(broker.Broker, "ann:ann-secret");
        await ann.SucceedAsync("GET", "/users");
        using var wrong = new ApiClient(broker.Broker, "meter:other");
        Assert.Equal(HttpStatusCode.Unauthorized, (await wrong.SendAsync("GET", "/stats")).Status);
        var modules = (await broker.Api.SucceedAsync("GET", "/modules"))[0].GetProperty("modules").EnumerateArray();
        Assert.False(modules.Single(row => row.GetProperty("name").GetString() == "emqx_mod_presence").GetProperty("active").GetBoolean());
        Assert.Contains("messages.in.count", (await broker.Api.SucceedAsync("GET", "/topic-metrics/counted%2Fa%20b")).GetRawText(), StringComparison.Ordinal);
        Assert.Equal(["10.0.0.0/8", "banned"], (await broker.Api.SucceedAsync("GET", "/banned")).EnumerateArray().Select(row => row.GetProperty("who").GetString()).Order());
    }
}
