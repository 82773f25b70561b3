using System.Text.Json;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Backup;

/// <summary>A document with something wrong in it changes nothing.</summary>
public sealed class BadDocumentTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    /// <summary>What stands in front of it, and would be stored.</summary>
    private const string Good =
        """ "version":"4.3","blacklist":[{"who":{"clientid":"fresh"},"at":1,"until":4000000000}],"apps":[{"id":"fresh","secret":"s"}],"auth_username":[{"username":"fresh","password":"cGxhaW4="}] """;

    private readonly ApiClient api = new(broker);

    public void Dispose() => api.Dispose();

    [Theory]
    [InlineData("""blacklist":[{"who":{"clientid":"x"},"at":1}]""", "blacklist[0]: 'until' is no time in Unix seconds")]
    [InlineData("""blacklist":[{"who":{"peerhost":"nowhere"},"at":1,"until":2}]""", "blacklist[0]: 'nowhere' is no address")]
    [InlineData("""blacklist":[{"who":{"colour":"red"},"at":1,"until":2}]""", "blacklist[0]: 'who' is none of clientid, username, peerhost")]
    [InlineData("""blacklist":[{"who":"x","at":1,"until":2}]""", "blacklist[0]: 'who' is missing or no object")]
    [InlineData("""apps":[{"id":"a b","secret":"s"}]""", "apps[0]: 'id' is none")]
    [InlineData("""apps":[{"id":"a"}]""", "apps[0]: 'secret' is missing or no text")]
    [InlineData("""apps":[{"id":"a","secret":""}]""", "apps[0]: 'secret' is empty")]
    [InlineData("""apps":[{"id":"a","secret":"s","expired":-1}]""", "apps[0]: 'expired' is no whole number")]
    [InlineData("""users":[{"username":"a","password":"AAAA"}]""", "users[0]: 'password' is not base64 of salt and hash")]
    [InlineData("""users":[{"password":"AAAA"}]""", "users[0]: 'username' is missing or no text")]
    [InlineData("""auth_clientid":[{"clientid":"a","password":"?"}]""", "auth_clientid[0]: 'password' is in no form of EMQ X's")]
    [InlineData("""auth_clientid":[{"clientid":"","password":"cGxhaW4="}]""", "auth_clientid[0]: 'clientid' is none")]
    [InlineData("""auth_mnesia":[{"login":"a","type":"ip","password":"cGxhaW4="}]""", "auth_mnesia[0]: 'type' is neither clientid nor username")]
    [InlineData("""acl_mnesia":[{"type":"all","topic":"a/#/b","action":"pub","access":"allow"}]""", "acl_mnesia[0]: 'a/#/b' is no topic filter.")]
    [InlineData("""acl_mnesia":[{"type":"username","topic":"a","action":"pub","access":"allow"}]""", "acl_mnesia[0]: nobody is named")]
    [InlineData("""acl_mnesia":[{"type":"username","type_value":"u","topic":"a","action":"all","access":"allow"}]""", "acl_mnesia[0]: 'action' is none of pub, sub, pubsub")]
    [InlineData("""acl_mnesia":[{"type":"username","type_value":"u","topic":"a","action":"pub","access":"maybe"}]""", "acl_mnesia[0]: 'access' is neither allow nor deny")]
    [InlineData("""acl_mnesia":{"a":1}""", "acl_mnesia: no list")]
    public Task MembersAreRefused(string bad, string reason)
    {
        var name = bad[..bad.IndexOf('"', StringComparison.Ordinal)]; // twice the same member would be another fault
        return ExpectAsync("{" + Good.Replace($"{name}\":", "was\":", StringComparison.Ordinal) + ",\"" + bad + "}", reason);
    }

    [Theory]
    [InlineData("""{"key":"x","value":{}}""", "'table' is missing or no text")]
    [InlineData("""{"table":"later","value":{}}""", "'key' is missing or no text")]
    [InlineData("""{"table":"later","key":"x"}""", "there is no 'value' and no 'base64'")]
    [InlineData("""{"table":"later","key":"x","base64":"?"}""", "there is no 'value' and no 'base64'")]
    [InlineData("""{"table":"a table with a name that is far too long","key":"x","value":1}""", "'table' is none")]
    [InlineData("""{"table":"later","key":"x","value":1,"expires_at":-1}""", "'expires_at' is no whole number")]
    [InlineData("""{"table":"user","key":"UserName/x","value":7}""", "no record of user: ")]
    [InlineData("""{"table":"user","key":"UserName/x","value":{}}""", "no record of user: the password is kept in no known form")]
    [InlineData("""{"table":"user","key":"x","value":{"Method":"plain","Hash":"x"}}""", "no record of user: the key names nobody")]
    [InlineData("""{"table":"acl","key":"x","value":{"Subject":"All","Who":"","Action":"Publish","Topic":"a","Allows":true}}""", "no record of acl: the key is another rule's")]
    [InlineData("""{"table":"acl","key":"x","value":{"Subject":"All","Who":"","Action":"Publish","Topic":"#/a","Allows":true}}""", "no record of acl: '#/a' is no topic filter.")]
    [InlineData("""{"table":"ban","key":"Address/x","value":{"Kind":"Address","Who":"x","By":"","Reason":"","At":"2020-01-01T00:00:00Z","Until":"2120-01-01T00:00:00Z"}}""", "no record of ban: 'x' is no address")]
    [InlineData("""{"table":"scram","key":"SCRAM-SHA-1/x","value":{"Salt":"AAAA","Iterations":4096,"StoredKey":"AAAA","ServerKey":"AAAA"}}""", "no record of scram: no credentials of a mechanism")]
    [InlineData("""{"table":"topic_metric","key":"a/#","value":{"Since":1}}""", "no record of topic_metric: 'a/#' is no topic")]
    [InlineData("""{"table":"app","key":"x","value":{}}""", "no record of app: a member is missing")]
    [InlineData("""{"table":"dashboard_user","key":"x","value":{"Tags":"","Hash":"x","Method":"none"}}""", "no record of dashboard_user: a member is missing or wrong")]
    public Task RecordsAreRefused(string bad, string reason) => ExpectAsync($$"""{"version":"4.3","records":[{"table":"later","key":"fresh","value":1},{{bad}}]}""", $"records[1]: {reason}");

    /// <summary>A record that got there otherwise, and that its table cannot take, is left out; all that follow are taken.</summary>
    [Fact]
    public async Task OthersAreTaken_WhenARecordIsBad()
    {
        await using var own = await BrokerHost.StartAsync(new() { ["Modules:TopicMetrics"] = "true" });
        own.ExpectError("topic_metric");
        using var its = new ApiClient(own);
        await own.Services.GetRequiredService<RecordFeed>().WriteAsync(new RecordChange("topic_metric", "a/#", """{"Since":1}"""u8.ToArray()));
        await its.SucceedAsync("POST", "/auth_username", """{"username":"later","password":"p"}""");
        Assert.Equal("later", (await its.SucceedAsync("GET", "/auth_username/later")).GetProperty("username").GetString());
    }

    private async Task ExpectAsync(string document, string reason)
    {
        JsonDocument.Parse(document).Dispose();
        var before = Restored.RecordsOf(await ExportAsync());
        var answer = await api.CallAsync("POST", "/data/import", document);
        Assert.Equal("import_failed", answer.GetProperty("message").GetString());
        Assert.StartsWith(reason, answer.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, Restored.RecordsOf(await ExportAsync()));
    }

    private async Task<JsonElement> ExportAsync()
    {
        var name = (await api.SucceedAsync("POST", "/data/export")).GetProperty("filename").GetString();
        var document = JsonDocument.Parse((await api.CallAsync("GET", $"/data/file/{name}")).GetProperty("file").GetString()!).RootElement;
        await api.SucceedAsync("DELETE", $"/data/file/{name}");
        return document;
    }
}
