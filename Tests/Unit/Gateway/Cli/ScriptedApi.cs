using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Broker.Tests.Unit.Gateway.Cli;

/// <summary>A call that has come.</summary>
/// <param name="Path">As it was written, with its query.</param>
internal sealed record ScriptedCall(string Method, string Path, string Body, string? Credential);

/// <summary>An HTTP server that answers as it was told, and remembers what it was asked.</summary>
internal sealed class ScriptedApi : IDisposable
{
    private readonly HttpListener listener = new();
    private readonly ConcurrentQueue<ScriptedCall> calls = [];
    private readonly ConcurrentDictionary<string, (int Status, byte[] Body)> answers = new();
    private readonly Task serving;

    public ScriptedApi()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        }

        listener.Prefixes.Add($"{Url}/");
        listener.Start();
        serving = ServeAsync();
    }

    public string Url { get; }

    /// <summary>All calls since the last time.</summary>
    public ScriptedCall[] TakeCalls()
    {
        var taken = new List<ScriptedCall>();
        while (calls.TryDequeue(out var call)) taken.Add(call);
        return [.. taken];
    }

    /// <param name="call">`METHOD /path?query`.</param>
    public ScriptedApi Answer(string call, string body, int status = 200) => Answer(call, Encoding.UTF8.GetBytes(body), status);

    public ScriptedApi Answer(string call, byte[] body, int status = 200)
    {
        answers[call] = (status, body);
        return this;
    }

    public Task<CtlOutcome> RunAsync(params string[] args) => Ctl.RunAsync(["--url", Url, .. args]);

    public void Dispose()
    {
        listener.Close();
        serving.Wait(TimeSpan.FromSeconds(10));
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await listener.GetContextAsync();
                var request = context.Request;
                using var reader = new StreamReader(request.InputStream);
                calls.Enqueue(new ScriptedCall(request.HttpMethod, request.RawUrl!, await reader.ReadToEndAsync(), Credential(request.Headers["Authorization"])));
                var (status, body) = answers.GetValueOrDefault($"{request.HttpMethod} {request.RawUrl}", (200, """{"code":0}"""u8.ToArray()));
                context.Response.StatusCode = status;
                await context.Response.OutputStream.WriteAsync(body);
                context.Response.Close();
            }
        }
        catch (Exception fault) when (fault is HttpListenerException or ObjectDisposedException)
        {
            // closed
        }
    }

    private static string? Credential(string? header) => header is null ? null : Encoding.UTF8.GetString(Convert.FromBase64String(header["Basic ".Length..]));
}
