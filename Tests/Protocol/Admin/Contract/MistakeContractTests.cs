using System.Net;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>What a caller's mistake must not do: allow everybody, remove everything, or make a backup that cannot be restored.</summary>
public sealed class MistakeContractTests(ContractBroker broker) : ContractSuite(broker)
{
    private const string Rule = "\"topic\":\"mistake\",\"action\":\"pub\",\"access\":\"allow\"";

    [Theory]
    [InlineData("\"clientid\":5", "clientid")]
    [InlineData("\"username\":{}", "username")]
    [InlineData("\"clientid\":null", "clientid")]
    [InlineData("\"all\":\"none\"", "all")]
    [InlineData("\"clientid\":\"c\",\"username\":\"u\"", "only one of username, clientid")]
    [InlineData("\"all\":\"$all\",\"username\":\"u\"", "only one of all, username")]
    public async Task NobodyIsAllowed_WhenARuleDoesNotSayWhomItIsAbout(string whom, string fault)
    {
        await ExpectAsync($$"""{"message":"{{fault}}"}""", "POST", "/acl", $"{{{whom},{Rule}}}");
        await ExpectAsync($$$"""{"code":0,"data":[{"result":"{error,{{{fault}}}}"}]}""", "POST", "/acl", $"[{{{whom},{Rule}}}]");
        foreach (var list in new[] { "$all", "clientid", "username" }) await ExpectAsync("""{"code":0,"data":[],"meta":{"page":1,"limit":50,"count":0}}""", "GET", $"/acl/{list}?topic=mistake");
    }

    [Fact]
    public async Task RuleIsAboutAUser_WhenTheClientIsNull()
    {
        await ExpectAsync($$$"""{"code":0,"data":{"username":"u",{{{Rule}}},"result":"ok"}}""", "POST", "/acl", $$"""{"clientid":null,"username":"u",{{Rule}}}""");
        await ExpectAsync("""{"code":0}""", "DELETE", "/acl/username/u/topic/mistake");
    }

    [Theory]
    [InlineData("/topic-metrics?topic=a")]
    [InlineData("/slow_subscriptions?clientid=a")]
    [InlineData("/trace?name=a")]
    [InlineData("/acl-cache?clientid=a")]
    [InlineData("/nodes/broker@127.0.0.1/acl-cache?clientid=a")]
    [InlineData("/alarms/deactivated?name=a")]
    [InlineData("/nodes/broker@127.0.0.1/alarms/deactivated?name=a")]
    [InlineData("/mqtt/retainer/messages?topic=a")]
    public async Task NothingIsRemoved_WhenTheFilterIsNotKnown(string path) => Assert.Equal(108, (await Api.CallAsync("DELETE", path)).GetProperty("code").GetInt32());

    [Fact]
    public async Task NameIsRefused_WhenNoBackupCouldHoldIt()
    {
        var (longest, half) = (new string('x', 65_535), new string('x', 40_000));
        Assert.Equal(108, (await Api.CallAsync("POST", "/banned", $$"""{"who":"{{longest}}","as":"clientid"}""")).GetProperty("code").GetInt32());
        await ExpectAsync("""{"message":"login"}""", "POST", "/auth_clientid", $$"""{"clientid":"{{longest}}","password":"p"}""");
        Assert.False((await Api.CallAsync("POST", "/acl", $$"""{"clientid":"{{half}}","topic":"{{half}}","action":"pub","access":"allow"}""")).TryGetProperty("code", out _));
        await Api.SucceedAsync("POST", "/banned", $$"""{"who":"{{longest[..65_000]}}","as":"clientid"}""");
        var file = (await Api.SucceedAsync("POST", "/data/export")).GetProperty("filename").GetString()!;
        await Api.SucceedAsync("POST", "/data/import", $$"""{"filename":"{{file}}"}""");
        await Api.SucceedAsync("DELETE", $"/data/file/{file}");
    }

    [Fact]
    public async Task TextStandsInAnswersAsPeopleWriteIt()
    {
        const string id = "a+b 'ü' <&>";
        await using var client = await RawClient.ConnectAsync(Broker, id);
        await client.SubscribeAsync("plain/+");
        foreach (var path in new[] { "/clients/", "/subscriptions/" }) Assert.Contains($"\"clientid\":\"{id}\"", (await Api.SendAsync("GET", path + Uri.EscapeDataString(id))).Text, StringComparison.Ordinal);
        Assert.Contains("\"topic\":\"plain/+\"", (await Api.SendAsync("GET", "/routes")).Text, StringComparison.Ordinal);
        Assert.Contains("Can't convert x to", (await Api.SendAsync("GET", "/clients?proto_ver=x")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    public async Task StatusIsTold_HoweverALoadBalancerAsks(string method)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://127.0.0.1:{Broker.Services.GetRequiredService<AdminServer>().Port}/status");
        using var answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
