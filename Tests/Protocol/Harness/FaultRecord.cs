using System.Collections.Concurrent;
using DotNetty.Common;
using DotNetty.Common.Internal.Logging;
using Microsoft.Extensions.Logging;

namespace Broker.Tests.Protocol.Harness;

/// <summary>Collects what a broker must never do by a client's doing: Error logs, unobserved task exceptions and leaked buffers.</summary>
internal sealed class FaultRecord : ILoggerProvider
{
    private static readonly ConcurrentQueue<string> Unobserved = new();
    private static readonly FaultRecord Leaks = new();
    private readonly ConcurrentQueue<string> errors = new();
    private readonly ConcurrentQueue<string> warnings = new();
    // A clock that jumps looks to Orleans like a machine that stood still; the last silo that ends tries in vain to hand its grains to another; and the word
    // that a follower leaves need not be heard by a silo that ends.
    private readonly ConcurrentQueue<string> expected = new(["LocalSiloHealthMonitor", "No active nodes are compatible with grain", "IRecordsGrain.Leave("]);

    static FaultRecord()
    {
        TaskScheduler.UnobservedTaskException += (_, fault) =>
        {
            var text = fault.Exception.ToString();
            if (text.Contains("as the test wants", StringComparison.Ordinal)) return;
            if (text.Contains("Broker.Gateway", StringComparison.Ordinal) || text.Contains("Broker.Grains", StringComparison.Ordinal)) Unobserved.Enqueue(text);
        };
        // DotNetty watches every buffer and logs an error for one that is collected before it was released.
        InternalLoggerFactory.DefaultFactory = LoggerFactory.Create(logging => logging.AddProvider(Leaks));
        ResourceLeakDetector.Level = ResourceLeakDetector.DetectionLevel.Paranoid;
    }

    /// <summary>Error logs whose text holds this are not faults.</summary>
    public void Expect(string part) => expected.Enqueue(part);

    /// <summary>Whether an error or a warning was logged whose text holds this, expected or not.</summary>
    public bool Has(string part) => errors.Concat(warnings).Any(entry => entry.Contains(part, StringComparison.Ordinal));

    /// <exception cref="InvalidOperationException">There was a fault; the message tells all of them.</exception>
    public void Verify()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var faults = errors.Where(error => !expected.Any(part => error.Contains(part, StringComparison.Ordinal))).Concat(Unobserved).Concat(Leaks.errors).ToArray();
        if (faults.Length > 0) throw new InvalidOperationException($"The broker had {faults.Length} faults:\n{string.Join("\n---\n", faults)}");
    }

    public ILogger CreateLogger(string categoryName) => new Recorder(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Recorder(FaultRecord record, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var entries = logLevel == LogLevel.Warning ? record.warnings : record.errors;
            entries.Enqueue($"{logLevel} {category}: {formatter(state, exception)} {exception}");
        }
    }
}
