using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.RateLimiting;
using Polly.Timeout;

namespace Broker.Gateway.Security.Sources;

/// <summary>Stands between a source and its backend: so many queries at once, so many waiting, each for so long, and none for a while when they fail.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed partial class SourceGuard
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);
    private readonly string name;
    private readonly SourceInstruments instruments;
    private readonly TimeProvider time;
    private readonly ResiliencePipeline pipeline;
    private readonly ILogger log;
    private readonly Fault lastFault = new();

    public SourceGuard(string name, SourceOptions options, SourceInstruments instruments, TimeProvider time, ILogger log)
    {
        (this.name, this.instruments, this.time, this.log) = (name, instruments, time, log);
        pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = options.BreakAfter,
                SamplingDuration = Window,
                BreakDuration = options.BreakTime,
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is { } fault and not RateLimiterRejectedException && lastFault.Note(fault)),
                OnOpened = _ =>
                {
                    if (!lastFault.IsDown) LogDown(this.log, name, lastFault.Message);
                    lastFault.IsDown = true;
                    return default;
                },
                OnClosed = _ =>
                {
                    lastFault.IsDown = false;
                    LogBack(this.log, name);
                    return default;
                },
            })
            .AddTimeout(new TimeoutStrategyOptions { Timeout = options.QueryTimeout })
            .AddConcurrencyLimiter(options.PoolSize, options.MaxPending)
            .Build();
    }

    public string Name => name;

    /// <summary>It has failed, and has not answered since. Whether it is back is found out by asking it.</summary>
    public bool IsDown => lastFault.IsDown;

    private sealed class Fault
    {
        private volatile bool isDown;

        public string Message { get; private set; } = "";

        public bool IsDown
        {
            get => isDown;
            set => isDown = value;
        }

        public bool Note(Exception fault)
        {
            Message = fault.Message;
            return true;
        }
    }

    /// <summary>Asks the backend, off the caller's event loop.</summary>
    /// <param name="query">The query; to be given up when its token says so.</param>
    /// <exception cref="SourceUnavailableException">There is no answer.</exception>
    public Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> query) => Task.Run(async () =>
    {
        var started = time.GetTimestamp();
        try
        {
            var answer = await pipeline.ExecuteAsync(async token =>
            {
                var answering = query(token);
                answering.Ignore(); // nobody waits for it any more when it was given up: drivers may be slow to hear of that
                return await answering.WaitAsync(token);
            });
            instruments.Answered(name, time.GetElapsedTime(started));
            return answer;
        }
        catch (Exception fault) when (fault is RateLimiterRejectedException or BrokenCircuitException)
        {
            instruments.Refused(name, isFull: fault is RateLimiterRejectedException);
            throw new SourceUnavailableException(fault is BrokenCircuitException ? $"{name} is down" : $"{name} has too many queries pending");
        }
        catch (Exception fault) // whatever the driver throws
        {
            instruments.Failed(name, isTimeout: fault is TimeoutRejectedException);
            throw new SourceUnavailableException(fault is TimeoutRejectedException ? $"{name} does not answer" : $"{name} fails: {fault.Message}");
        }
    });

    [LoggerMessage(1, LogLevel.Warning, "Source {Source} cannot be asked: {Reason}. Its answer is what WhenDown says until it is back")]
    private static partial void LogDown(ILogger log, string source, string reason);

    [LoggerMessage(2, LogLevel.Information, "Source {Source} answers again")]
    private static partial void LogBack(ILogger log, string source);
}

/// <summary>A source has no answer.</summary>
internal sealed class SourceUnavailableException(string reason) : Exception(reason);
