using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Broker.Tests.Cluster.Harness;

/// <summary>A web server on a port of 127.0.0.1. May be stopped at once, frozen, and started again on its port.</summary>
/// <param name="answer">What it answers.</param>
/// <param name="certificate">With it, it speaks HTTPS.</param>
internal sealed class WebService(Func<WebRequest, WebAnswer> answer, X509Certificate2? certificate = null) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly Lock gate = new();
    private readonly List<WebRequest> requests = [];
    private TaskCompletionSource frozen = Thawed();
    private WebApplication? server;

    /// <summary>Its port, the same after every start.</summary>
    public int Port { get; } = FreePorts.Find();

    /// <summary>What it was asked so far.</summary>
    public WebRequest[] Requests
    {
        get
        {
            lock (gate) return [.. requests];
        }
    }

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, Port, listen =>
        {
            if (certificate is not null) listen.UseHttps(certificate);
        }));
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);
        server = builder.Build();
        server.Run(AnswerAsync);
        await server.StartAsync().WaitAsync(Limit);
    }

    /// <summary>It ends with all its connections.</summary>
    public async Task KillAsync()
    {
        if (server is null) return;
        try
        {
            await server.StopAsync(new CancellationToken(canceled: true)).WaitAsync(Limit);
        }
        catch (OperationCanceledException)
        {
            // Connections were cut: that is what is wanted.
        }

        await server.DisposeAsync();
        server = null;
    }

    /// <summary>Takes requests and does not answer.</summary>
    public void Freeze() => frozen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => frozen.SetResult();

    public async ValueTask DisposeAsync()
    {
        frozen.TrySetResult();
        await KillAsync();
    }

    private static TaskCompletionSource Thawed()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        var request = new WebRequest(
            context.Request.Method, context.Request.Path + context.Request.QueryString, context.Request.ContentType, await body.ReadToEndAsync(context.RequestAborted),
            context.Request.Headers.ToDictionary(one => one.Key, one => one.Value.ToString(), StringComparer.OrdinalIgnoreCase));
        lock (gate) requests.Add(request);
        await frozen.Task.WaitAsync(context.RequestAborted);
        var (status, text, location, type) = answer(request);
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        if (location is not null) context.Response.Headers.Location = location;
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), context.RequestAborted);
    }
}

/// <summary>A request as it came.</summary>
/// <param name="Target">Path and query.</param>
internal sealed record WebRequest(string Method, string Target, string? ContentType, string Body, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The parameters of a form or a query, decoded.</summary>
    public Dictionary<string, string> Parameters => (Body.Length > 0 ? Body : Target[(Target.IndexOf('?', StringComparison.Ordinal) + 1)..]).Split('&')
        .Select(pair => pair.Split('=', 2)).ToDictionary(pair => WebUtility.UrlDecode(pair[0]), pair => WebUtility.UrlDecode(pair[1]));
}

/// <summary>An answer.</summary>
internal readonly record struct WebAnswer(int Status, string Body = "", string? Location = null, string? ContentType = null);
