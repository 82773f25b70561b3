using System.Net;
using System.Text.Json;
using Broker.Gateway.Admin.Audit;
using Broker.Gateway.Alarms;
using Broker.Grains.Interfaces.Metrics;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>The audit log: each change is in it before it is answered, secrets are not, and it outlives a restart.</summary>
public sealed class AuditApiTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    private readonly ApiClient api = new(broker);
    private readonly ApiClient dashboard = ApiClient.OfDashboard(broker);

    public void Dispose()
    {
        api.Dispose();
        dashboard.Dispose();
    }

    [Fact]
    public async Task ChangeIsKept_WithWhoWhatAndFromWhere()
    {
        await api.SucceedAsync("POST", "/banned", """{"who":"audited","as":"clientid","reason":"r"}""");
        var entry = await NewestAsync("endpoint=create_banned&_like_path=banned");
        Assert.Equal(
            ["address", "at", "body", "code", "duration_ms", "endpoint", "method", "node", "path", "port", "status", "user"], entry.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            ("admin", "management", "127.0.0.1", "broker@127.0.0.1", "POST", "/api/v4/banned", 200, 0, """{"who":"audited","as":"clientid","reason":"r"}"""),
            (Text(entry, "user"), Text(entry, "port"), Text(entry, "address"), Text(entry, "node"), Text(entry, "method"), Text(entry, "path"), entry.GetProperty("status").GetInt32(),
                entry.GetProperty("code").GetInt32(), entry.GetProperty("body").GetRawText()));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", Text(entry, "at"));
        Assert.True(entry.GetProperty("duration_ms").GetDouble() >= 0);

        await api.SucceedAsync("DELETE", "/banned/clientid/audited");
        Assert.False((await NewestAsync("endpoint=delete_banned")).TryGetProperty("body", out _));
        Assert.Equal(108, (await api.CallAsync("POST", "/banned", """{"who":"x","as":"colour"}""")).GetProperty("code").GetInt32());
        entry = await NewestAsync("endpoint=create_banned");
        Assert.Equal(108, entry.GetProperty("code").GetInt32());
        Assert.NotEqual("", Text(entry, "message"));
        Assert.Equal(HttpStatusCode.BadRequest, (await api.SendAsync("POST", "/banned", "{")).Status);
        Assert.Equal(400, (await NewestAsync("endpoint=create_banned")).GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task NoSecretIsKept()
    {
        await dashboard.SucceedAsync("POST", "/users", """{"username":"audit-ann","password":"first-s3cret","tags":"t"}""");
        Assert.Equal("""{"username":"audit-ann","password":"***","tags":"t"}""", (await NewestAsync("endpoint=create_user")).GetProperty("body").GetRawText());
        using var ann = ApiClient.OfDashboard(broker, "audit-ann:first-s3cret");
        await ann.SucceedAsync("PUT", "/change_pwd/audit-ann?new_pwd=second-s3cret", """{"old_pwd":"first-s3cret"}""");
        var entry = await NewestAsync("endpoint=change_pwd&user=audit-ann");
        Assert.Equal(("dashboard", """{"old_pwd":"***"}""", """{"new_pwd":"***"}"""), (Text(entry, "port"), entry.GetProperty("body").GetRawText(), entry.GetProperty("query").GetRawText()));
        using var open = ApiClient.OfDashboard(broker, null);
        await open.SucceedAsync("POST", "/auth", """{"username":"audit-ann","password":"second-s3cret"}""");
        Assert.Equal("audit-ann", Text(await NewestAsync("endpoint=auth_user"), "user"));
        foreach (var file in Directory.GetFiles(broker.Services.GetRequiredService<AuditLog>().Folder)) Assert.DoesNotContain("s3cret", await ReadAsync(file), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FailedLoginIsKept_AndReadingIsNot()
    {
        using var wrong = new ApiClient(broker, "mall\nory:guess-s3cret");
        await wrong.SendAsync("GET", "/stats");
        var entry = await NewestAsync("user=mall%0Aory");
        Assert.Equal(("list_stats", 401, "UNAUTHORIZED"), (Text(entry, "endpoint"), entry.GetProperty("status").GetInt32(), Text(entry, "message")));
        Assert.DoesNotContain("s3cret", entry.GetRawText(), StringComparison.Ordinal);
        using var open = ApiClient.OfDashboard(broker, null);
        await open.CallAsync("POST", "/auth", """{"username":"nobody-here","password":"guess-s3cret"}""");
        Assert.Equal("Username/Password error", Text(await NewestAsync("user=nobody-here"), "message"));
        var before = await CountAsync();
        await api.SucceedAsync("GET", "/stats");
        using var silent = new ApiClient(broker, null);
        await silent.SendAsync("POST", "/banned", "{}");
        await api.SucceedAsync("POST", "/mqtt/publish", """{"topic":"t","payload":"what applications do all day"}""");
        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task PagesAreNewestFirst_AndFiltered()
    {
        await using var own = await BrokerHost.StartAsync(new() { ["Audit:IgnoreFrequent"] = "false" });
        using var client = new ApiClient(own);
        var began = DateTimeOffset.UtcNow;
        for (var i = 0; i < 5; i++)
        {
            await client.SucceedAsync("DELETE", $"/banned/clientid/page{i}");
            own.Advance(TimeSpan.FromMinutes(1));
        }

        var seen = new List<string?>();
        for (var (page, more) = (1, true); more; page++)
        {
            var answer = await client.CallAsync("GET", $"/v5/audit?_page={page}&_limit=2");
            Assert.Equal((page, 2, 5), (Meta(answer, "page"), Meta(answer, "limit"), Meta(answer, "count")));
            seen.AddRange(answer.GetProperty("data").EnumerateArray().Select(row => Text(row, "path")));
            more = answer.GetProperty("meta").GetProperty("hasnext").GetBoolean();
        }

        Assert.Equal(Enumerable.Range(0, 5).Reverse().Select(i => $"/api/v4/banned/clientid/page{i}"), seen);
        var from = began.AddMinutes(1.5);
        var rows = await RowsAsync(client, $"_gte_at={from.ToUnixTimeSeconds()}&_lte_at={Uri.EscapeDataString(from.AddMinutes(2).ToString("O"))}");
        Assert.Equal(["page3", "page2"], rows.Select(row => Text(row, "path")!.Split('/')[^1]));
        Assert.Empty(await RowsAsync(client, "node=other"));
        Assert.Empty(await RowsAsync(client, "user=other"));
        Assert.Equal(108, (await client.CallAsync("GET", "/v5/audit?_gte_at=soon")).GetProperty("code").GetInt32());

        await client.SucceedAsync("POST", "/mqtt/publish", """{"topic":"t","payload":"p"}""");
        Assert.Single(await RowsAsync(client, "endpoint=mqtt_publish"));
        await own.RestartAsync();
        using var again = new ApiClient(own);
        Assert.Equal(6, (await RowsAsync(again, "")).Length);
        own.Advance(TimeSpan.FromDays(31));
        Assert.Empty(await RowsAsync(again, ""));
    }

    [Fact]
    public async Task ChangeHappens_WhenTheFileCannotBeWritten()
    {
        var folder = Directory.CreateTempSubdirectory("broker-audit-").FullName;
        var place = Path.Combine(folder, "audit");
        await File.WriteAllTextAsync(place, "in the way");
        try
        {
            await using var own = await BrokerHost.StartAsync(new() { ["Audit:Directory"] = place });
            using var client = new ApiClient(own);
            var failed = BrokerCounters.Read(Metric.AuditFailed);
            await client.SucceedAsync("POST", "/banned", """{"who":"x","as":"clientid"}""");
            Assert.Single((await client.SucceedAsync("GET", "/banned")).EnumerateArray());
            Assert.Equal(failed + 1, BrokerCounters.Read(Metric.AuditFailed));
            Assert.Contains("cannot be written", Assert.Single(own.Services.GetRequiredService<AlarmBook>().Active, alarm => alarm.Name == AuditLog.Alarm).Message, StringComparison.Ordinal);
            Assert.True(own.Logged("Changes over the HTTP API are not kept"));
            File.Delete(place);
            await client.SucceedAsync("DELETE", "/banned/clientid/x");
            Assert.Equal("delete_banned", Text(Assert.Single(await RowsAsync(client, "")), "endpoint"));
            Assert.False(own.Services.GetRequiredService<AlarmBook>().IsActive(AuditLog.Alarm));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<JsonElement> NewestAsync(string filter) => (await RowsAsync(api, filter))[0];

    private static async Task<JsonElement[]> RowsAsync(ApiClient client, string filter) => [.. (await client.SucceedAsync("GET", $"/v5/audit?{filter}")).EnumerateArray()];

    private async Task<int> CountAsync() => Meta(await api.CallAsync("GET", "/v5/audit"), "count");

    private static int Meta(JsonElement answer, string member) => answer.GetProperty("meta").GetProperty(member).GetInt32();

    private static async Task<string> ReadAsync(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return await reader.ReadToEndAsync();
    }

    private static string? Text(JsonElement row, string member) => row.GetProperty(member).GetString();
}
