using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>A caller of the HTTP API, as a script written for EMQ X 4.x is one.</summary>
internal sealed class ApiClient : IDisposable
{
    private readonly HttpClient http;

    public ApiClient(BrokerHost broker, string? credential = "admin:public")
        : this(broker.Services.GetRequiredService<AdminServer>().Port, credential)
    {
    }

    public ApiClient(int port, string? credential = "admin:public")
    {
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/api/") };
        if (credential is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credential)));
    }

    public void Dispose() => http.Dispose();

    /// <summary>A user of the dashboard.</summary>
    public static ApiClient OfDashboard(BrokerHost broker, string? credential = "admin:public") => new(broker.Services.GetRequiredService<AdminServer>().DashboardPort, credential);

    /// <summary>Calls, and expects HTTP 200 and JSON.</summary>
    public async Task<JsonElement> CallAsync(string method, string path, string? body = null)
    {
        var (status, type, text) = await SendAsync(method, path, body);
        Assert.Equal((HttpStatusCode.OK, "application/json"), (status, type));
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Calls, and expects `code` 0.</summary>
    /// <returns>The member `data`, if there is one.</returns>
    public async Task<JsonElement> SucceedAsync(string method, string path, string? body = null)
    {
        var answer = await CallAsync(method, path, body);
        Assert.True(answer.TryGetProperty("code", out var code) && code.GetInt32() == 0, answer.ToString());
        return answer.TryGetProperty("data", out var data) ? data : default;
    }

    /// <summary>A file.</summary>
    public Task<byte[]> DownloadAsync(string path) => http.GetByteArrayAsync(new Uri($"v4/{path.TrimStart('/')}", UriKind.Relative));

    public async Task<(HttpStatusCode Status, string? Type, string Text)> SendAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path.StartsWith("/v5/", StringComparison.Ordinal) ? path[1..] : $"v4/{path.TrimStart('/')}");
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(request);
        return (response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync());
    }
}
