using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Broker.Gateway.Cli;

/// <summary>The HTTP API as the command line calls it: what is refused, or not reached, is a <see cref="CtlException"/>.</summary>
internal sealed class ApiSession : IDisposable
{
    private readonly HttpClient http;

    public ApiSession(CtlSettings settings)
    {
        Settings = settings;
        http = new HttpClient(Handler(settings)) { BaseAddress = settings.Url, Timeout = settings.Timeout };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{settings.Name}:{settings.Secret}")));
    }

    public CtlSettings Settings { get; }

    public void Dispose() => http.Dispose();

    /// <summary>Calls, and expects that it is done.</summary>
    /// <param name="path">As in <see cref="CtlCommand.Path"/>, with all values in it.</param>
    /// <returns>The envelope.</returns>
    public async Task<JsonElement> CallAsync(string method, string path, string? body = null, CancellationToken cancellation = default)
    {
        using var content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        return Judge(await SendAsync(method, path, content, cancellation));
    }

    /// <summary>The member `data` of what a call answers; undefined if there is none.</summary>
    public async Task<JsonElement> ReadAsync(string path, CancellationToken cancellation = default) =>
        (await CallAsync("GET", path, null, cancellation)).TryGetProperty("data", out var data) ? data : default;

    /// <summary>Calls, and hands over what is answered as it is.</summary>
    public async Task<byte[]> SendAsync(string method, string path, HttpContent? content = null, CancellationToken cancellation = default)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), Locate(path)) { Content = content };
        try
        {
            using var response = await http.SendAsync(request, cancellation);
            var answer = await response.Content.ReadAsByteArrayAsync(cancellation);
            return response.IsSuccessStatusCode ? answer : throw CtlException.Refused(Explain(response.StatusCode, Encoding.UTF8.GetString(answer)));
        }
        catch (HttpRequestException fault)
        {
            throw new CtlException(ExitCode.Unreachable, $"Cannot reach {Settings.Url}: {(fault.InnerException ?? fault).Message}");
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CtlException(ExitCode.Unreachable, $"{Settings.Url} has not answered within {Settings.Timeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>Asks while the shell waits for completions: whatever goes wrong, there is nothing to offer.</summary>
    public JsonElement Peek(string path)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Locate(path));
            using var response = http.Send(request);
            using var body = response.Content.ReadAsStream();
            return Judge(JsonDocument.Parse(body).RootElement).GetProperty("data");
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException or JsonException or CtlException or KeyNotFoundException or IOException)
        {
            return default;
        }
    }

    private static string Locate(string path) => path == "/status" ? path : path.StartsWith("/v5/", StringComparison.Ordinal) ? $"/api{path}" : $"/api/v4{path}";

    private static JsonElement Judge(byte[] answer)
    {
        try
        {
            return Judge(JsonDocument.Parse(answer).RootElement);
        }
        catch (JsonException)
        {
            throw CtlException.Refused("What answers there is not the broker's API: it sent no JSON");
        }
    }

    private static JsonElement Judge(JsonElement answer)
    {
        if (answer.ValueKind != JsonValueKind.Object) throw CtlException.Refused(answer.ToString());
        var hasCode = answer.TryGetProperty("code", out var code) && code.ValueKind == JsonValueKind.Number;
        if (hasCode && code.GetDouble() == 0) return answer;
        if (!answer.TryGetProperty("message", out var message)) throw CtlException.Refused(answer.ToString());
        throw CtlException.Refused(hasCode ? $"{message} (code {code})" : message.ToString());
    }

    private string Explain(HttpStatusCode status, string text) => status switch
    {
        HttpStatusCode.Unauthorized => $"{Settings.Url} does not accept {Settings.Name} with this secret",
        HttpStatusCode.TooManyRequests => "Too many calls with a wrong secret came from here: wait a minute",
        HttpStatusCode.ServiceUnavailable => $"The broker is not ready: {text.Trim()}",
        HttpStatusCode.NotFound => $"There is no such thing, or no such call at this port ({(int)status} {text.Trim()}): applications and users of the dashboard are managed at the dashboard's, usually 18083",
        _ => $"{(int)status} {text.Trim()}",
    };

    private static SocketsHttpHandler Handler(CtlSettings settings)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
#pragma warning disable CA5359 // --insecure says so
        if (settings.IsInsecure) handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        else if (settings.CaCertificate is { } path) handler.SslOptions.CertificateChainPolicy = Trust(path);
        return handler;
    }

    private static X509ChainPolicy Trust(string path)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(path);
        }
        catch (Exception fault) when (fault is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw CtlException.Usage($"--cacert {path} cannot be read: {fault.Message}");
        }

        return policy.CustomTrustStore.Count > 0 ? policy : throw CtlException.Usage($"--cacert {path} has no certificate");
    }
}
