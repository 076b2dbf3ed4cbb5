/** Style sheets: the build puts them into one file. */
declare module '*.css';
