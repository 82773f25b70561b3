using Broker.Gateway.ExHook.Protocol;
using Broker.Gateway.Security.Sources;
using Grpc.Core;
using Grpc.Net.Client;

namespace Broker.Gateway.ExHook;

/// <summary>The connection to one server: so many requests at once, each for so long. Thread-safe.</summary>
internal sealed class ExHookCalls : IDisposable
{
    private readonly string server;
    private readonly ExHookOptions options;
    private readonly ExHookInstruments instruments;
    private readonly GrpcChannel channel;
    private readonly HookProvider.HookProviderClient client;
    private int pending;

    public ExHookCalls(string server, ExHookServerOptions address, ExHookOptions options, ExHookInstruments instruments)
    {
        (this.server, this.options, this.instruments) = (server, options, instruments);
        channel = GrpcChannel.ForAddress(address.Url, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { UseProxy = false, SslOptions = TlsClient.Make(address), ConnectTimeout = options.RequestTimeout, EnableMultipleHttp2Connections = true },
            DisposeHttpClient = true,
            MaxRetryAttempts = 1,
        });
        client = new HookProvider.HookProviderClient(channel);
    }

    /// <summary>Why the last request that failed did.</summary>
    public string Fault { get; private set; } = "";

    /// <summary>Called when the server could not be reached.</summary>
    public Action? Lost { get; set; }

    /// <summary>Asks the server, off the caller's event loop: what the call leaves behind outlives that.</summary>
    /// <returns>Null if there is no answer, which is counted.</returns>
    public Task<T?> AskAsync<T>(string hook, Func<HookProvider.HookProviderClient, CallOptions, AsyncUnaryCall<T>> request)
        where T : class => Task.Run(() => CallAsync(hook, request));

    public void Dispose() => channel.Dispose();

    private async Task<T?> CallAsync<T>(string hook, Func<HookProvider.HookProviderClient, CallOptions, AsyncUnaryCall<T>> request)
        where T : class
    {
        if (Interlocked.Increment(ref pending) > options.MaxPending)
        {
            Interlocked.Decrement(ref pending);
            instruments.Add(server, hook, "full");
            return null;
        }

        try
        {
            using var call = request(client, new CallOptions(deadline: DateTime.UtcNow + options.RequestTimeout));
            var answer = await call;
            instruments.Add(server, hook, "success");
            return answer;
        }
        catch (RpcException fault)
        {
            instruments.Add(server, hook, fault.StatusCode == StatusCode.DeadlineExceeded ? "timeout" : "error");
            Fault = fault.Status.Detail.Length > 0 ? fault.Status.Detail : fault.StatusCode.ToString();
            if (fault.StatusCode == StatusCode.Unavailable) Lost?.Invoke();
            return null;
        }
        catch (ObjectDisposedException)
        {
            return null; // the broker stops
        }
        finally
        {
            Interlocked.Decrement(ref pending);
        }
    }
}
