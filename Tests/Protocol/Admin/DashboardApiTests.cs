using System.Net;
using System.Text.Json;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Broker.Tests.Protocol.Transport;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>The dashboard's port: who may use it, and how applications and users are managed there.</summary>
public sealed class DashboardApiTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    private static readonly (HttpStatusCode, string, string) Unauthorized = (HttpStatusCode.Unauthorized, "text/plain", "UNAUTHORIZED");
    private static readonly (HttpStatusCode, string, string) NotFound = (HttpStatusCode.NotFound, "text/plain", "Not found.");
    private readonly ApiClient dashboard = ApiClient.OfDashboard(broker);
    private readonly ApiClient admin = new(broker);

    public void Dispose()
    {
        dashboard.Dispose();
        admin.Dispose();
    }

    [Fact]
    public async Task DashboardServesAll_AndTheAdminPortNoUsersAndApplications()
    {
        await dashboard.SucceedAsync("GET", "/clients");
        await dashboard.SucceedAsync("GET", "/apps");
        foreach (var path in new[] { "/apps", "/apps/admin", "/users" }) Assert.Equal(NotFound, await admin.SendAsync("GET", path));
        Assert.Equal(NotFound, await admin.SendAsync("POST", "/auth", """{"username":"admin","password":"public"}"""));
    }

    [Fact]
    public async Task ApplicationCalls_AsLongAsItIsAllowed()
    {
        var secret = (await dashboard.SucceedAsync("POST", "/apps", """{"app_id":"meter","name":"Meter","desc":"reads","status":true}""")).GetProperty("secret").GetString();
        Assert.Matches("^[0-9A-Za-z]{32}$", secret);
        using var meter = new ApiClient(broker, $"meter:{secret}");
        await meter.SucceedAsync("GET", "/stats");
        var row = await dashboard.SucceedAsync("GET", "/apps/meter");
        Assert.Equal(("meter", "Meter", "reads", true, "undefined"), (Text(row, "app_id"), Text(row, "name"), Text(row, "desc"), row.GetProperty("status").GetBoolean(), Text(row, "expired")));
        Assert.Equal("already_existed", Text(await dashboard.CallAsync("POST", "/apps", """{"app_id":"meter"}"""), "message"));

        await dashboard.SucceedAsync("PUT", "/apps/meter", """{"status":false}""");
        Assert.Equal(Unauthorized, await meter.SendAsync("GET", "/stats"));
        await dashboard.SucceedAsync("PUT", "/apps/meter", """{"status":true,"expired":1000}""");
        Assert.Equal(Unauthorized, await meter.SendAsync("GET", "/stats"));
        await dashboard.SucceedAsync("PUT", "/apps/meter", """{"expired":4000000000}""");
        await meter.SucceedAsync("GET", "/stats");
        await dashboard.SucceedAsync("DELETE", "/apps/meter");
        Assert.Equal(Unauthorized, await meter.SendAsync("GET", "/stats"));
        Assert.Equal("not_found", Text(await dashboard.CallAsync("PUT", "/apps/meter", "{}"), "message"));
        Assert.Equal("{}", (await dashboard.SucceedAsync("GET", "/apps/meter")).GetRawText());
    }

    [Theory]
    [InlineData("""{"app_id":"with space"}""")]
    [InlineData("""{"app_id":"-x"}""")]
    [InlineData("""{"name":"nameless"}""")]
    public async Task ApplicationIsRefused_WhenItsIdIsNone(string body) => Assert.Equal("bad_app_id", Text(await dashboard.CallAsync("POST", "/apps", body), "message"));

    [Fact]
    public async Task UserLogsIn_AndChangesThePassword()
    {
        await dashboard.SucceedAsync("POST", "/users", """{"username":"ann","password":"first","tags":"night shift"}""");
        Assert.Equal("Username Already Exist", Text(await dashboard.CallAsync("POST", "/users", """{"username":"ann","password":"other"}"""), "message"));
        await dashboard.SucceedAsync("PUT", "/users/ann", """{"tags":"day shift"}""");
        Assert.Contains((await dashboard.SucceedAsync("GET", "/users")).EnumerateArray(), row => Text(row, "username") == "ann" && Text(row, "tags") == "day shift");
        using var open = ApiClient.OfDashboard(broker, null);
        await open.SucceedAsync("POST", "/auth", """{"username":"ann","password":"first"}""");
        Assert.Equal("Username/Password error", Text(await open.CallAsync("POST", "/auth", """{"username":"ann","password":"wrong"}"""), "message"));
        Assert.Equal("Username undefined", Text(await open.CallAsync("POST", "/auth", "{}"), "message"));
        Assert.Equal("Password undefined", Text(await open.CallAsync("POST", "/auth", """{"username":"ann"}"""), "message"));
        using var ann = ApiClient.OfDashboard(broker, "ann:first");
        Assert.NotEqual(0, Code(await ann.CallAsync("PUT", "/change_pwd/ann", """{"old_pwd":"wrong","new_pwd":"second"}""")));
        await ann.SucceedAsync("PUT", "/change_pwd/ann", """{"old_pwd":"first","new_pwd":"second"}""");
        Assert.Equal(Unauthorized, await ann.SendAsync("GET", "/users"));
        using var later = ApiClient.OfDashboard(broker, "ann:second");
        await later.SucceedAsync("DELETE", "/users/ann");
        Assert.Equal(Unauthorized, await later.SendAsync("GET", "/users"));
        Assert.Equal("Cannot delete admin", Text(await dashboard.CallAsync("DELETE", "/users/admin"), "message"));
        Assert.Equal("Username Not Found", Text(await dashboard.CallAsync("PUT", "/users/ann", """{"tags":""}"""), "message"));
    }

    [Fact]
    public async Task GuessingIsStopped_AndNobodyElse()
    {
        await using var own = await BrokerHost.StartAsync([]);
        using var guesser = new ApiClient(own, "admin:guess");
        using var right = new ApiClient(own);
        for (var i = 0; i < 20; i++) Assert.Equal(Unauthorized, await guesser.SendAsync("GET", "/stats"));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await guesser.SendAsync("GET", "/stats")).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await right.SendAsync("GET", "/stats")).Status); // from the same address
        Assert.Equal(0, Code(await admin.CallAsync("GET", "/stats")));
    }

    [Fact]
    public async Task StatusIsToldToAnybody()
    {
        using var http = new HttpClient();
        var port = broker.Services.GetRequiredService<AdminServer>().Port;
        Assert.Equal("Node broker@127.0.0.1 is started\nemqx is running", await http.GetStringAsync($"http://127.0.0.1:{port}/status"));
    }

    [Fact]
    public async Task BothPortsSpeakHttps_WithACertificate()
    {
        using var certificates = new TestCertificates();
        using var shown = certificates.Sign("server", "CN=server", "localhost");
        await using var own = await BrokerHost.StartAsync(new() { ["Admin:Certificate"] = certificates.FileOf("server.pem"), ["Admin:Key"] = certificates.FileOf("server.key") });
        var server = own.Services.GetRequiredService<AdminServer>();
        foreach (var port in new[] { server.Port, server.DashboardPort })
        {
            using var trusting = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => certificate!.Thumbprint == shown.Thumbprint };
            using var http = new HttpClient(trusting);
            Assert.Equal("live\n", await http.GetStringAsync($"https://localhost:{port}/health/live"));
        }
    }

    private static string? Text(JsonElement row, string member) => row.GetProperty(member).GetString();

    private static int Code(JsonElement answer) => answer.TryGetProperty("code", out var code) ? code.GetInt32() : -1;
}
