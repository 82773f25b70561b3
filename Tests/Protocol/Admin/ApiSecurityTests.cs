using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Broker.Gateway.Admin;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Broker.Tests.Protocol.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>What strangers and foreign pages try with the HTTP API.</summary>
public sealed class ApiSecurityTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    private readonly HttpClient http = new();

    public void Dispose() => http.Dispose();

    [Theory]
    [InlineData("nobody", "secret", 1)]
    [InlineData("admin", "wrong", 1)]
    [InlineData("admin", "public", 1)] // the one that everybody knows, from elsewhere
    [InlineData("barred", "right", 1)]
    [InlineData("expired", "right", 1)]
    [InlineData("barred", "wrong", 1)]
    public async Task RefusalCostsTheSame_WhateverItsReason(string name, string secret, int hashes)
    {
        using var dashboard = ApiClient.OfDashboard(broker);
        await dashboard.CallAsync("POST", "/apps", """{"app_id":"barred","secret":"right","status":false}""");
        await dashboard.CallAsync("POST", "/apps", """{"app_id":"expired","secret":"right","status":true,"expired":1000}""");
        var (access, secrets) = (broker.Services.GetRequiredService<ApiAccess>(), broker.Services.GetRequiredService<Secrets>());
        var from = new IPAddress([192, 0, 2, (byte)(name.Length + secret.Length)]);
        var before = secrets.Computed;
        Assert.Equal(Admission.Unknown, await access.AdmitAsync(From(from), name, secret));
        Assert.Equal(hashes, secrets.Computed - before);
    }

    [Fact]
    public async Task UsualSecretIsForThisMachineAlone()
    {
        var access = broker.Services.GetRequiredService<ApiAccess>();
        Assert.Equal(Admission.Welcome, await access.AdmitAsync(From(IPAddress.Loopback), "admin", "public"));
        Assert.Equal(Admission.Welcome, await access.AdmitAsync(From(IPAddress.IPv6Loopback, host: "[::1]:8081"), "admin", "public"));
        Assert.Equal(Admission.Welcome, await access.AdmitAsync(From(IPAddress.Loopback.MapToIPv6(), host: "localhost"), "admin", "public"));
        Assert.Equal(Admission.Unknown, await access.AdmitAsync(From(IPAddress.Parse("198.51.100.1")), "admin", "public"));
        Assert.Equal(Admission.Unknown, await access.AdmitAsync(From(IPAddress.Parse("198.51.100.2"), "X-Forwarded-For", "127.0.0.1"), "admin", "public"));
        Assert.Equal(Admission.Unknown, await access.AdmitAsync(From(IPAddress.Parse("2001:db8::1")), "admin", "public"));
    }

    [Theory]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("X-Forwarded-For", "203.0.113.7")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("Forwarded", "for=127.0.0.1")]
    [InlineData("x-forwarded-proto", "https")]
    [InlineData("CF-Connecting-IP", "203.0.113.7")]
    [InlineData("X-Client-IP", "203.0.113.7")]
    [InlineData("Host", "rebound.example:8081")]
    public async Task UsualSecretIsRefused_WhenAProxyOrAForeignNameLedHere(string header, string value)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("GET", "v4/stats", (header, value))).StatusCode);
        using var dashboard = ApiClient.OfDashboard(broker);
        await dashboard.CallAsync("POST", "/apps", """{"app_id":"behind","secret":"a-proxy","status":true}""");
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", "v4/stats", "behind:a-proxy", (header, value))).StatusCode);
    }

    [Theory]
    [InlineData(403, "Origin", "http://evil.example")]
    [InlineData(403, "Origin", "null")]
    [InlineData(403, "Origin", "http://127.0.0.1:1")]
    [InlineData(403, "Sec-Fetch-Site", "cross-site")]
    [InlineData(403, "Sec-Fetch-Site", "same-site")]
    [InlineData(200, "Sec-Fetch-Site", "same-origin")]
    [InlineData(200, "Sec-Fetch-Site", "none")]
    [InlineData(200, "Origin", "own")]
    [InlineData(200, "User-Agent", "a script")]
    public async Task ForeignPageChangesNothing(int status, string header, string value)
    {
        using var api = new ApiClient(broker);
        await api.SucceedAsync("DELETE", "/banned/clientid/forged");
        if (value == "own") value = $"http://127.0.0.1:{Port}";
        // A form's content type, so that no browser asks first.
        using var answer = await SendAsync("POST", "v4/banned", new StringContent("""{"who":"forged","as":"clientid"}""", Encoding.UTF8, "text/plain"), (header, value));
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status == 200, (await api.SucceedAsync("GET", "/banned")).EnumerateArray().Any(row => row.GetProperty("who").GetString() == "forged"));
    }

    [Fact]
    public async Task ForeignPageReadsNothing()
    {
        foreach (var method in new[] { "GET", "OPTIONS" })
        {
            using var answer = await SendAsync(method, "v4/stats", ("Origin", "http://evil.example"), ("Access-Control-Request-Method", "GET"));
            Assert.Equal(method == "GET" ? HttpStatusCode.OK : HttpStatusCode.NotFound, answer.StatusCode);
            Assert.DoesNotContain(answer.Headers, one => one.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Theory]
    [InlineData("v4/stats", true)]
    [InlineData("v4/nothing", true)]
    [InlineData("docs", true)]
    [InlineData("../status", false)]
    [InlineData("../health/live", false)]
    public async Task BrowsersAreToldToBeCareful(string path, bool isSecret)
    {
        using var answer = await SendAsync("GET", path);
        Assert.Equal(("nosniff", "DENY", "frame-ancestors 'none'"), (Header("X-Content-Type-Options"), Header("X-Frame-Options"), Header("Content-Security-Policy")));
        Assert.Equal(isSecret, answer.Headers.CacheControl?.NoStore ?? false);

        string Header(string name) => Assert.Single(answer.Headers.GetValues(name));
    }

    [Fact]
    public async Task BodyIsRefused_WhenItIsTooLarge()
    {
        // Only announced: a client that sends on is cut before it has read the answer.
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port);
        var head = $"POST /api/v4/banned HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {Convert.ToBase64String("admin:public"u8)}\r\nContent-Length: {(16 * 1024 * 1024) + 1}\r\n\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));
        using var reader = new StreamReader(client.GetStream());
        Assert.StartsWith("HTTP/1.1 413 ", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GuessesAtOnceAreNoMore_ThanOneAfterTheOther()
    {
        await using var own = await BrokerHost.StartAsync([]);
        using var open = ApiClient.OfDashboard(own, null);
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => open.SendAsync("POST", "/auth", $$"""{"username":"admin","password":"guess{{i}}"}""")));
        Assert.Equal(20, answers.Count(answer => answer.Text.Contains("Username/Password error", StringComparison.Ordinal)));
        Assert.Equal(20, answers.Count(answer => answer.Status == HttpStatusCode.TooManyRequests));
        Assert.Equal(20, own.Services.GetRequiredService<Secrets>().Computed);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await open.SendAsync("POST", "/auth", """{"username":"admin","password":"public"}""")).Status);
        own.Advance(TimeSpan.FromMinutes(1.1));
        await open.SucceedAsync("POST", "/auth", """{"username":"admin","password":"public"}""");
    }

    [Fact]
    public async Task NewCertificateIsShown_AndABadOneIsNot()
    {
        using var certificates = new TestCertificates();
        using var first = certificates.Sign("server", "CN=server", "localhost");
        await using var own = await BrokerHost.StartAsync(new() { ["Admin:Certificate"] = certificates.FileOf("server.pem"), ["Admin:Key"] = certificates.FileOf("server.key") });
        Assert.Equal(first.Thumbprint, await ShownAsync(own));
        using var second = certificates.Sign("server", "CN=server", "localhost");
        Assert.Equal(second.Thumbprint, await ShownAsync(own));
        await File.WriteAllTextAsync(certificates.FileOf("server.pem"), "no certificate");
        Assert.Equal(second.Thumbprint, await ShownAsync(own));
        Assert.True(own.Logged("The admin ports go on with the certificate they have"));
        using var third = certificates.Sign("server", "CN=server", "localhost");
        Assert.Equal(third.Thumbprint, await ShownAsync(own));
    }

    private int Port => broker.Services.GetRequiredService<AdminServer>().Port;

    private static DefaultHttpContext From(IPAddress address, string header = "Accept", string value = "*/*", string host = "127.0.0.1:8081")
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = address;
        context.Request.Headers[header] = value;
        context.Request.Host = new HostString(host);
        return context;
    }

    private static async Task<string> ShownAsync(BrokerHost own)
    {
        var shown = "";
        using var trusting = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => (shown = certificate!.Thumbprint).Length > 0 };
        using var client = new HttpClient(trusting);
        await client.GetStringAsync($"https://localhost:{own.Services.GetRequiredService<AdminServer>().Port}/health/live");
        return shown;
    }

    private Task<HttpResponseMessage> SendAsync(string method, string path, params (string Name, string Value)[] headers) => SendAsync(method, path, "admin:public", null, headers);

    private Task<HttpResponseMessage> SendAsync(string method, string path, string credential, params (string Name, string Value)[] headers) => SendAsync(method, path, credential, null, headers);

    private Task<HttpResponseMessage> SendAsync(string method, string path, HttpContent content, params (string Name, string Value)[] headers) => SendAsync(method, path, "admin:public", content, headers);

    private async Task<HttpResponseMessage> SendAsync(string method, string path, string credential, HttpContent? content, (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://127.0.0.1:{Port}/api/{path}") { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credential)));
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await http.SendAsync(request);
    }
}
