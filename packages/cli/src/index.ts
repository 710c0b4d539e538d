// The terminal side of athanor: build a view from data, render it, keep it on a screen.
export { colourPaint, noPaint, wantsColour } from './paint.ts';
export type { ColourQuestion, Paint, Style } from './paint.ts';
export { render } from './render.ts';
export type { RenderOptions } from './render.ts';
export { openScreen } from './screen.ts';
export type { Screen, ScreenOptions, ScreenStream } from './screen.ts';
export { printable } from './text.ts';
export { line, progress, sparkline, styled, table } from './view.ts';
export type { Block, Column, Line, Progress, Span, Sparkline, Table, View } from './view.ts';
